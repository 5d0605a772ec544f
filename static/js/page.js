// What htmx leaves to a page: filters that wait to be typed, parts that could not be fetched, tabs that nobody looks at.
(() => {
  "use strict";
  const PAGE = "content"; // an answer that fails is a page as well, and is shown; in a part it would be out of place
  const TYPED = ".filters :is([type=date], [type=search], [type=text], [type=number])";
  let held; // the name of what had the focus in the filter bar that is being replaced

  const isCustom = (element) => element.name === "period" && element.value === "custom";

  // What is typed, and the days of a custom period, wait for the button or for Enter; every other choice applies at once.
  document.addEventListener(
    "change",
    (event) => (event.target.matches(TYPED) || isCustom(event.target)) && event.stopPropagation(),
    true,
  );
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt.matches(".filters") && detail.parameters.period !== "custom")
      for (const day of detail.elt.querySelectorAll("[data-custom-days] input")) delete detail.parameters[day.name];
  });

  const tell = (part, isFailed) => {
    const notice = part.parentElement?.querySelector(":scope > .failed");
    if (notice) notice.hidden = !isFailed;
    part.dataset.filled = isFailed ? "no" : "yes";
  };
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const focused = document.activeElement;
    held = focused?.closest(".filters") ? focused.name : undefined;
    if (detail.target.id === PAGE) return;
    if (detail.isError) detail.shouldSwap = false;
    tell(detail.target, detail.isError);
  });
  document.addEventListener("htmx:afterSettle", () => {
    const named = held && document.querySelectorAll(`.filters [name="${CSS.escape(held)}"]`);
    held = undefined;
    if (named?.length) ([...named].find(({ checked }) => checked) ?? named[0]).focus({ preventScroll: true });
  });
  document.addEventListener("htmx:sendError", ({ detail }) => tell(detail.target, true));
  document.addEventListener("click", ({ target }) => {
    const part = target.closest("[data-again]")?.closest(".card").querySelector("[hx-get]");
    if (part) window.htmx.trigger(part, "again");
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    const isPolling = event.target.hasAttribute("data-polls");
    if (isPolling && document.visibilityState !== "visible") event.preventDefault();
  });

  document.addEventListener("input", ({ target }) => {
    const told = target.type === "range" && target.closest("label")?.querySelector("output");
    if (told) told.textContent = target.value;
  });
})();
