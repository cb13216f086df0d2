// A box on a picture, drawn, moved and stretched with the mouse, a finger or the keyboard. Edges are whole pixels of
// the picture: [top, left, bottom, right]. What is drawn is told when the pointer is lifted or the keys have rested.
// Runs again on every change of data or theme; while somebody drags, the data's box is not taken over.

const REST = 450;  // milliseconds after the last key
const LEAST = 2;   // picture pixels a side below which a drag was a click

function room() {
  return Math.max(220, Math.min(window.innerHeight * 0.55, 640));
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const find = (selector) => parentElement.querySelector(selector);
  const stage = find(".stage"), box = find(".box"), outside = find(".outside");
  const readout = find(".readout"), clear = find(".clear");
  const state = (stage.cam ??= { box: null, told: undefined, drag: null, timer: 0 });
  const [height, width] = data.size;

  const setImage = (image, src, alt) => {
    if (src) { if (image.getAttribute("src") !== src) image.src = src; } else image.removeAttribute("src");
    image.alt = alt;
  };
  setImage(find(".photo"), data.photo, data.alt);
  setImage(find(".over"), data.overlay, "");
  stage.setAttribute("aria-label", data.label);
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  if (!state.drag && !state.timer && !same(data.box, state.told)) state.box = data.box;
  state.told = data.box;

  const draw = () => {
    box.hidden = !state.box;
    clear.hidden = !state.box;
    if (!state.box) { readout.textContent = data.hint; return; }
    const [top, left, bottom, right] = state.box;
    Object.assign(box.style, {
      left: `${(100 * left) / width}%`, width: `${(100 * (right - left)) / width}%`,
      top: `${(100 * top) / height}%`, height: `${(100 * (bottom - top)) / height}%`,
    });
    const share = Math.round((100 * (bottom - top) * (right - left)) / (height * width));
    readout.textContent = `${right - left} × ${bottom - top} px at ${left}, ${top}: ${share} % of the picture`;
  };

  const measure = () => {
    stage.style.aspectRatio = `${width} / ${height}`;
    stage.style.width = `min(100%, ${Math.round((room() * width) / height)}px)`;
  };

  if (data.seen) {
    const [top, left, bottom, right] = data.seen;
    outside.hidden = false;
    Object.assign(outside.style, {
      left: `${(100 * left) / width}%`, width: `${(100 * (right - left)) / width}%`,
      top: `${(100 * top) / height}%`, height: `${(100 * (bottom - top)) / height}%`,
    });
  } else outside.hidden = true;

  const tell = () => {
    clearTimeout(state.timer);
    state.timer = 0;
    setTriggerValue("drawn", state.box ? state.box.join(",") : "none");
  };
  const tellLater = () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(tell, REST);
  };

  const at = (event) => {
    const area = stage.getBoundingClientRect();
    const part = (value, low, length, most) => Math.max(0, Math.min(most, Math.round(((value - low) / length) * most)));
    return [part(event.clientY, area.top, area.height, height), part(event.clientX, area.left, area.width, width)];
  };
  const between = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  const moved = (from, dy, dx) => {
    const y = Math.max(-from[0], Math.min(height - from[2], dy)), x = Math.max(-from[1], Math.min(width - from[3], dx));
    return [from[0] + y, from[1] + x, from[2] + y, from[3] + x];
  };

  stage.onpointerdown = (event) => {
    if (event.button !== 0) return;
    const start = at(event), corner = event.target.dataset?.at;
    if (corner && state.box) {  // a corner is dragged: the opposite one stays
      const [top, left, bottom, right] = state.box;
      const anchor = [corner[0] === "n" ? bottom : top, corner[1] === "w" ? right : left];
      state.drag = { anchor, before: state.box };
    } else if (event.target === box) state.drag = { start, from: state.box, before: state.box };
    else state.drag = { anchor: start, before: state.box, fresh: true };
    stage.setPointerCapture(event.pointerId);
    stage.focus({ preventScroll: true, focusVisible: false });
    event.preventDefault();
  };
  stage.onpointermove = (event) => {
    const drag = state.drag;
    if (!drag) return;
    const now = at(event);
    state.box = drag.from ? moved(drag.from, now[0] - drag.start[0], now[1] - drag.start[1]) : between(drag.anchor, now);
    draw();
  };
  stage.onpointerup = stage.onpointercancel = (event) => {
    const drag = state.drag;
    if (!drag) return;
    state.drag = null;
    const found = state.box;
    if (event.type === "pointercancel" || !found || found[2] - found[0] < LEAST || found[3] - found[1] < LEAST) {
      state.box = drag.before;  // a click, or a drag that was broken off
      draw();
    } else if (!same(found, drag.before)) tell();
  };
  stage.onkeydown = (event) => {
    const step = Math.max(1, Math.round(Math.max(height, width) / 50));
    if (["Delete", "Backspace", "Escape"].includes(event.key)) {
      if (!state.box) return;
      state.box = null;
    } else if (event.key === "Enter" && !state.box) {
      state.box = [0.25 * height, 0.25 * width, 0.75 * height, 0.75 * width].map(Math.round);
    } else {
      const by = { ArrowUp: [-step, 0], ArrowDown: [step, 0], ArrowLeft: [0, -step], ArrowRight: [0, step] }[event.key];
      if (!by || !state.box) return;
      if (event.shiftKey) {
        const [top, left, bottom, right] = state.box;
        state.box = [top, left,
          Math.max(top + LEAST, Math.min(height, bottom + by[0])), Math.max(left + LEAST, Math.min(width, right + by[1]))];
      } else state.box = moved(state.box, ...by);
    }
    event.preventDefault();
    draw();
    tellLater();
  };
  clear.onclick = () => { state.box = null; draw(); tell(); stage.focus({ preventScroll: true }); };

  draw();
  measure();
  state.observer?.disconnect();
  state.observer = new ResizeObserver(measure);
  state.observer.observe(document.documentElement);
  return () => { state.observer?.disconnect(); state.observer = null; };
}
