// Brings a part of the page into view each time the count goes up; not when the page is drawn first.
export default function (component) {
  const { data, parentElement } = component;
  const node = parentElement.querySelector("span");
  const before = node.camCount;
  node.camCount = data.count;
  if (before === undefined || before === data.count) return;
  const gentle = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.querySelector(data.to)?.scrollIntoView({ behavior: gentle ? "smooth" : "auto", block: "start" });
}
