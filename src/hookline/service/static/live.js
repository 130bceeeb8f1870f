// While an experiment runs, the page fetches itself again now and then, and keeps its place.
const EVERY_MS = 3000;

async function refresh() {
  if (document.hidden || document.querySelector("details[open]")) return;
  try {
    const response = await fetch(location.href);
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    document.querySelector("main").replaceWith(fresh.querySelector("main"));
  } catch {
    // The service is away; the page stays as it is and asks again.
  }
}

setInterval(refresh, EVERY_MS);
