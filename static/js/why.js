// Fetches what a panel says of why cost changed, when the panel comes into view.
(() => {
  "use strict";
  const fill = async (panel) => {
    const body = panel.querySelector(".why__body");
    try {
      const response = await fetch(panel.dataset.whyUrl, { credentials: "same-origin" });
      if (!response.ok || response.redirected) throw new Error(`the panel answered ${response.status}`);
      body.innerHTML = await response.text();
      panel.dataset.filled = "yes";
    } catch (failure) {
      panel.dataset.filled = "no";
      console.warn(failure);
    }
  };
  const seen = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        seen.unobserve(target);
        fill(target);
      }
    },
    { rootMargin: "300px" },
  );
  for (const panel of document.querySelectorAll("[data-why-url]")) seen.observe(panel);
})();
