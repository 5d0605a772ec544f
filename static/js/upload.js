// Shows how far an upload has come. Without it the form works as any form does.
(() => {
  "use strict";
  const form = document.querySelector("[data-upload]");
  if (!form || !window.XMLHttpRequest || !window.FormData) return;
  const area = form.querySelector("[data-upload-progress]");
  const bar = area.querySelector("progress");
  const percent = area.querySelector("[data-upload-percent]");
  const error = form.querySelector("[data-upload-error]");
  const button = form.querySelector("button[type=submit]");

  const fail = (message) => {
    error.textContent = message;
    error.hidden = false;
    area.hidden = true;
    button.disabled = false;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    error.hidden = true;
    const files = [...form.elements.files.files];
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    if (bytes > Number(form.dataset.limit) * 1048576) return fail(error.dataset.tooLarge);
    const request = new XMLHttpRequest();
    request.open("POST", form.action || window.location.href);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (sent) => {
      if (!sent.lengthComputable) return;
      bar.value = (100 * sent.loaded) / sent.total;
      percent.textContent = `${Math.floor(bar.value)} %`;
    });
    request.addEventListener("load", () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // not ours: a proxy, or signed out meanwhile
      }
      if (request.status === 200 && answer.next) return window.location.assign(form.dataset.next || answer.next);
      return fail(answer.message || error.dataset.failed);
    });
    request.addEventListener("error", () => fail(error.dataset.failed));
    area.hidden = false;
    bar.value = 0;
    button.disabled = true;
    request.send(new FormData(form));
  });
})();
