// What players share below what they show: buttons with a sign, and a choice of speed.
const SIGNS = { play: "M3 1.5 13 8 3 14.5Z", pause: "M3 2h3.6v12H3zM9.4 2H13v12H9.4z",
  sound: "M1 5.5h3L8 2v12L4 10.5H1zM10 5q2 3 0 6M12 3q4 5 0 10", silent: "M1 5.5h3L8 2v12L4 10.5H1zM10 6l4 4M14 6l-4 4" };

function signButton(parent, act) {
  const button = add("button", "oc-button", parent);
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}

function markButton(button, sign, says) {
  if (button.dataset.sign === sign) return;
  button.dataset.sign = sign;
  const lines = sign === "sound" || sign === "silent" ? ' fill="currentColor" stroke="currentColor" stroke-width="1.4" stroke-linecap="round"' : ' fill="currentColor"';
  button.innerHTML = `<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="${SIGNS[sign]}"${lines}/></svg>`;
  button.setAttribute("aria-label", says);
  button.title = says;
}

function speedChoice(parent, speeds, set) {
  const label = add("label", "oc-speed", parent), choice = add("select", "", label);
  label.prepend("speed ");
  for (const speed of speeds) choice.add(new Option(`${speed}×`, speed));
  choice.value = 1;
  choice.addEventListener("change", () => set(+choice.value));
  return choice;
}
