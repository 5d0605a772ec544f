// The sliders of a plan: shows what each stands at while it moves, and asks for the plan when it rests.
(() => {
  "use strict";
  const form = document.querySelector("[data-dials]");
  if (!form) return;
  form.addEventListener("input", ({ target }) => {
    const told = target.closest("label")?.querySelector("output");
    if (told) told.textContent = target.value;
  });
  form.addEventListener("change", ({ target }) => {
    if (target.type === "range") form.requestSubmit(form.querySelector("button:not([formmethod])"));
  });
})();
