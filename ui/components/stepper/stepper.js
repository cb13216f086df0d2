// Steps through numbers in a given order: buttons, arrow keys, a number typed, or one picked elsewhere in this window
// (see sheet.js). It tells the window which one is shown.

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".stepper");
  const find = (selector) => root.querySelector(selector);
  const input = find("input"), back = find(".back"), on = find(".on");
  const { order, bus, label } = data;
  const state = (root.cam ??= { now: null });
  Object.assign(state, { trigger: setTriggerValue });

  const lay = (now) => {
    state.now = now;
    const at = order.indexOf(now);
    input.value = now === null ? "" : String(now);
    back.disabled = at <= 0;
    on.disabled = at < 0 || at >= order.length - 1;
    find(".rank").textContent = at < 0 ? "" : `${at + 1} of ${order.length.toLocaleString("en")} ${data.ordered}`;
  };
  const pick = (now) => {
    if (now === state.now || !order.includes(now)) return;
    lay(now);
    state.trigger("picked", now);
  };
  const step = (by) => {
    const at = order.indexOf(state.now) + by;
    if (at >= 0 && at < order.length) { pick(order[at]); tell(order[at]); }
  };
  const tell = (now) => {
    window[`camShown${bus}`] = now ?? undefined;
    window.dispatchEvent(new CustomEvent(`cam-shown-${bus}`));
  };

  find("label span").textContent = label;
  input.disabled = !order.length;
  input.min = "0";
  input.max = String(Math.max(0, order.length - 1));
  root.setAttribute("aria-label", `${label} shown`);
  back.setAttribute("aria-label", `Previous ${label}`);
  on.setAttribute("aria-label", `Next ${label}`);
  back.onclick = () => step(-1);
  on.onclick = () => step(1);
  input.onchange = () => {
    const now = Math.round(Number(input.value));
    if (order.includes(now)) { pick(now); tell(now); } else lay(state.now);
  };
  root.onkeydown = (event) => {
    if (event.target === input || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    step(event.key === "ArrowLeft" ? -1 : 1);
  };
  lay(data.now);
  tell(data.now);

  state.hear ??= (event) => state.pick(event.detail);
  state.pick = pick;
  if (!state.listening) {
    window.addEventListener(`cam-pick-${bus}`, state.hear);
    state.listening = bus;
  }
  return () => {
    if (state.listening) window.removeEventListener(`cam-pick-${state.listening}`, state.hear);
    state.listening = null;
    window[`camShown${bus}`] = undefined;
  };
}
