// Keeps the list of runs fresh: often while something runs, seldom while nothing does, never while nobody looks.
(() => {
  "use strict";
  const ACTIVE_MS = 2000;
  const IDLE_MS = 15000;
  const card = document.querySelector("[data-progress-url]");
  if (!card) return;
  const table = card.querySelector("[data-runs]");
  const body = table.tBodies[0];
  const pattern = card.querySelector("template[data-run]");
  const bar = card.querySelector("progress");

  const row = (run) => {
    const copy = pattern.content.cloneNode(true);
    for (const field of copy.querySelectorAll("[data-field]")) field.textContent = run[field.dataset.field];
    for (const field of copy.querySelectorAll("[data-number]")) field.value = run[field.dataset.number];
    for (const part of copy.querySelectorAll("[data-shown-if]")) part.hidden = !run[part.dataset.shownIf];
    copy.querySelector("[data-tag]").className = `tag tag--${run.state}`;
    return copy;
  };

  const show = (found) => {
    for (const place of card.querySelectorAll("[data-value]")) {
      const text = String(found[place.dataset.value]);
      if (place.textContent !== text) place.textContent = text; // a live region speaks only when something changed
    }
    card.querySelector("[data-work]").hidden = !found.is_active;
    card.querySelector("[data-rest]").hidden = found.is_active;
    bar.max = found.total || 1;
    bar.value = found.finished;
    table.hidden = found.runs.length === 0;
    card.querySelector("[data-no-runs]").hidden = found.runs.length > 0;
    body.replaceChildren(...found.runs.map(row));
  };

  let timer;
  const poll = async () => {
    clearTimeout(timer);
    let wait = IDLE_MS;
    if (document.visibilityState === "visible") {
      try {
        const response = await fetch(card.dataset.progressUrl, { headers: { Accept: "application/json" } });
        if (response.redirected) return window.location.reload(); // signed out meanwhile
        if (response.ok) {
          const found = await response.json();
          if (card.dataset.stage && card.dataset.stage !== found.stage) return window.location.reload();
          show(found);
          if (found.is_active) wait = ACTIVE_MS;
        }
      } catch {
        // the server is being restarted; the next poll will tell
      }
    }
    clearTimeout(timer);
    timer = setTimeout(poll, wait);
  };

  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && poll());
  timer = setTimeout(poll, ACTIVE_MS);
})();
