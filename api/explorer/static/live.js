// Renews the figures every five seconds while the page is seen and nobody has paused it.
"use strict";

document.querySelectorAll("[data-live]").forEach((button) => {
  const figures = document.getElementById(button.dataset.live);
  let paused = false;
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? button.dataset.resume : button.dataset.pause;
  });
  setInterval(() => {
    if (!paused && !document.hidden) htmx.trigger(figures, "refresh");
  }, 5000);
});
