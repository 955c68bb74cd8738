// What a page can do beyond links and forms. Every page works without it.
"use strict";

// What carries `data-refresh="SECONDS"` is fetched anew and put in the place of what is there, until the page
// no longer says so. Nothing is replaced while somebody works in it.
function refresh(part) {
  const seconds = Number(part.dataset.refresh);
  if (!part.id || !(seconds > 0)) return;
  setTimeout(async () => {
    let next = part;
    try {
      if (!document.hidden && !part.contains(document.activeElement)) {
        const answer = await fetch(location.href, { headers: { accept: "text/html" } });
        if (!answer.ok || answer.redirected) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById(part.id);
        if (!fresh) return;
        next = document.importNode(fresh, true);
        part.replaceWith(next);
      }
    } catch {
      // The service may be restarting: the next round tries again.
    }
    refresh(next);
  }, seconds * 1000);
}
document.querySelectorAll("[data-refresh]").forEach(refresh);

// `/` goes to the search, wherever one is.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select");
  const field = document.querySelector(".find input");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey && field) {
    event.preventDefault();
    field.focus();
  }
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
});

// One box above the others checks them all: `data-all="NAME"`.
document.querySelectorAll("input[data-all]").forEach((all) => {
  all.addEventListener("change", () => {
    const name = CSS.escape(all.dataset.all);
    document.querySelectorAll(`input[name="${name}"]`).forEach((one) => { one.checked = all.checked; });
  });
});
