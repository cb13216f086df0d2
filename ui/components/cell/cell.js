// Runs again on every change of data or theme. The chosen cell lives on the node: a press is drawn at once, and what
// belongs to the cell chosen before (its effective field) goes until the page has answered.

const SETTLE = 160; // milliseconds after the last arrow key

// The tallest the picture may be, so that the words beside it share one screen with it.
function room() {
  return Math.max(240, Math.min(window.innerHeight * 0.6, 760));
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const find = (selector) => parentElement.querySelector(selector);
  const stage = find(".stage");
  const photo = find(".photo");
  const state = (stage.cam ??= {});
  state.data = data;
  const named = `${data.identity}:${data.cell}`;
  if (state.named !== named) {
    state.named = named;
    state.cell = data.cell ? [...data.cell] : null;
  }

  const { grid, field, size } = data;
  const counts = [grid.rows, grid.columns];
  const limits = [[grid.seen[0], grid.seen[2]], [grid.seen[1], grid.seen[3]]];
  const inside = (value, [low, high]) => Math.max(low, Math.min(high, value));
  const toInput = (pixel, axis) => grid.scale[axis] * (pixel - 0.5) + grid.shift[axis];
  const toPicture = (input, axis) => inside((input - grid.shift[axis]) / grid.scale[axis] + 0.5, limits[axis]);

  // Cells at the border reach to the end of what the network saw, as the drawn map does.
  const area = (cell) => [0, 1].map((axis) => {
    const edge = (index) => toPicture(grid.first[axis] + (index - 0.5) * grid.stride[axis], axis);
    const sides = [edge(cell[axis]), edge(cell[axis] + 1)].sort((a, b) => a - b);
    const ends = [0, counts[axis] - 1];
    if (grid.stride[axis] < 0) ends.reverse(); // the layer sees the picture mirrored
    return ends.map((end, side) => (cell[axis] === end ? limits[axis][side] : sides[side]));
  });
  const seenBy = (cell) => [0, 1].map((axis) => {
    const middle = field.first[axis] + cell[axis] * field.stride[axis];
    return [-1, 1].map((side) => toPicture(middle + (side * field.size[axis]) / 2, axis));
  });
  const draw = (name, sides) => {
    const box = find(`.box.${name}`);
    box.hidden = !sides;
    if (!sides) return;
    const [[top, bottom], [left, right]] = sides;
    Object.assign(box.style, {
      top: `${(top / size[0]) * 100}%`, height: `${((bottom - top) / size[0]) * 100}%`,
      left: `${(left / size[1]) * 100}%`, width: `${((right - left) / size[1]) * 100}%`,
    });
  };
  const words = (cell) => !cell ? data.without : `row ${cell[0] + 1}, column ${cell[1] + 1} of ${counts[0]}×${counts[1]}`;
  const answered = () => String(state.cell) === String(data.cell);

  const show = () => {
    draw("area", state.cell ? area(state.cell) : null);
    draw("field", field && state.cell ? seenBy(state.cell) : null);
    const known = answered() && data.effective;
    draw("effective", known ? [[data.effective[0], data.effective[2]], [data.effective[1], data.effective[3]]] : null);
    const src = answered() && data.lit ? data.lit : data.photo;
    if (photo.getAttribute("src") !== src) photo.src = src;
    find(".veil").hidden = answered() && !data.busy;
    find(".area-key").hidden = !state.cell;
    find(".field-key").hidden = !field;
    find(".effective-key").hidden = !known;
    find(".readout").textContent = words(state.cell);
    stage.setAttribute("aria-label", `${data.label}. Chosen: ${words(state.cell)}. Arrow keys choose another.`);
  };
  photo.alt = data.alt;

  const choose = (cell, wait) => {
    state.cell = cell;
    show();
    clearTimeout(state.timer);
    state.timer = setTimeout(() => { if (!answered()) setTriggerValue("picked", `${cell[0]},${cell[1]}`); }, wait);
  };
  const under = (event) => {
    const box = stage.getBoundingClientRect();
    const point = [
      ((event.clientY - box.top) / box.height) * size[0],
      ((event.clientX - box.left) / box.width) * size[1],
    ];
    if (point.some((pixel, axis) => pixel < limits[axis][0] || pixel > limits[axis][1])) return null;
    return point.map((pixel, axis) => {
      const index = Math.round((toInput(pixel, axis) - grid.first[axis]) / grid.stride[axis]);
      return inside(index, [0, counts[axis] - 1]);
    });
  };
  stage.onpointermove = (event) => {
    const cell = under(event);
    draw("hover", cell ? area(cell) : null);
    find(".readout").textContent = cell ? words(cell) : "Outside what the network saw";
  };
  stage.onpointerleave = () => { draw("hover", null); find(".readout").textContent = words(state.cell); };
  stage.onclick = (event) => { const cell = under(event); if (cell) choose(cell, 0); };
  stage.onkeydown = (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (by, axis) => state.cell[axis] + by * Math.sign(grid.stride[axis]);
    if (!state.cell) { choose(counts.map((count) => Math.floor(count / 2)), SETTLE); return; } // begins in the middle
    choose(step.map((by, axis) => inside(next(by, axis), [0, counts[axis] - 1])), SETTLE);
  };

  const measure = () => {
    const ratio = size[1] / size[0];
    stage.style.aspectRatio = String(ratio);
    stage.style.width = find(".foot").style.width = `min(100%, ${Math.round(room() * ratio)}px)`;
  };
  measure();
  show();
  state.observer ??= new ResizeObserver(() => measure());
  state.observer.observe(document.documentElement);
  return () => {
    clearTimeout(state.timer);
    state.observer?.disconnect();
    state.observer = null;
  };
}
