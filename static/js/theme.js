// Light or dark: what the viewer chose, else what the system says. Runs before the page is painted.
(() => {
  "use strict";
  const KEY = "costops-theme";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage can be forbidden; the system's choice stands
    }
  };
  const store = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // the choice lasts until the page is left
    }
  };
  const announce = () => document.dispatchEvent(new CustomEvent("themechange"));

  const chosen = stored();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  system.addEventListener("change", announce);

  // Figures are drawn in the colours of paper while it is printed.
  let before;
  window.addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    announce();
  });
  window.addEventListener("afterprint", () => {
    if (before) root.dataset.theme = before;
    else delete root.dataset.theme;
    announce();
  });

  document.addEventListener("DOMContentLoaded", () => {
    for (const toggle of document.querySelectorAll("[data-theme-toggle]")) {
      toggle.hidden = false;
      toggle.addEventListener("click", () => {
        const now = root.dataset.theme || (system.matches ? "dark" : "light");
        root.dataset.theme = now === "dark" ? "light" : "dark";
        store(root.dataset.theme);
        announce();
      });
    }
  });
})();
