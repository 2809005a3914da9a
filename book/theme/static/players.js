// Audio players: one button, a position, the time. Without this module the browser's own controls are shown.

const ICONS = { play: "M7 4v16l13-8z", pause: "M6 4h4v16H6zM14 4h4v16h-4z" };
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
const playing = new Set();

function icon(name) {
  return `<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path fill="currentColor" d="${ICONS[name]}"/></svg>`;
}

/** Give one `<figure class="player">` the course's controls. */
export function start(figure) {
  const audio = figure.querySelector("audio");
  const name = audio.getAttribute("aria-label");
  const total = Number(figure.dataset.seconds);
  if (!total) return;
  audio.controls = false;
  audio.hidden = true;
  const controls = document.createElement("div");
  controls.className = "player-controls";
  controls.innerHTML = `<button type="button"></button><input type="range" min="0" max="${total}" step="0.01" value="0"><span></span>`;
  const [button, position, time] = controls.children;
  position.setAttribute("aria-label", `Position in ${name}`);
  const show = () => {
    const on = !audio.paused;
    button.innerHTML = icon(on ? "pause" : "play");
    button.setAttribute("aria-label", `${on ? "Pause" : "Play"} ${name}`);
    position.value = audio.currentTime;
    position.setAttribute("aria-valuetext", `${audio.currentTime.toFixed(1)} of ${total.toFixed(1)} seconds`);
    time.textContent = `${clock(audio.currentTime)} / ${total < 10 ? `${total.toFixed(1)} s` : clock(total)}`;
  };
  button.addEventListener("click", () => (audio.paused ? audio.play() : audio.pause()));
  position.addEventListener("input", () => (audio.currentTime = Number(position.value)));
  audio.addEventListener("play", () => {
    playing.forEach((other) => other !== audio && other.pause());
    playing.add(audio);
    const follow = () => {
      show();
      if (!audio.paused) requestAnimationFrame(follow);
    };
    follow();
  });
  for (const event of ["pause", "ended", "seeked"]) audio.addEventListener(event, show);
  audio.addEventListener("error", () => (time.textContent = "This sound could not be loaded."));
  show();
  audio.after(controls);
}
