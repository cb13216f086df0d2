// Brings a part of the page into view each time the count goes up; not when the page is drawn first.
export default function (component) {
  const { data } = component;
  const before = window.camScrolled;
  window.camScrolled = data.count;
  if (before === undefined || before >= data.count) return;
  document.querySelector(data.to)?.scrollIntoView({ block: "start" });
}
