// The filter bar: shows the days only for a custom period, and applies every other choice at once.
(() => {
  "use strict";
  const form = document.querySelector("[data-filters]");
  if (!form) return;
  const days = form.querySelector("[data-custom-days]");
  const period = () => form.elements.namedItem("period").value;
  const isCustom = () => period() === "custom";

  const show = () => {
    days.hidden = !isCustom();
    for (const input of days.querySelectorAll("input")) input.disabled = !isCustom();
    form.querySelector("[data-apply]").hidden = !isCustom();
  };
  form.addEventListener("change", (event) => {
    show();
    const isDay = days.contains(event.target);
    if (!isDay && !(event.target.name === "period" && isCustom())) form.requestSubmit();
  });
  show();
})();
