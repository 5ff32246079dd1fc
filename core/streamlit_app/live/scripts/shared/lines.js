// A line between a view and the component that carries its pictures: {ask, hear}, by the key of the view.
function lineOf(key) {
  const lines = (window.__orrery_lines ??= new Map());
  if (!lines.has(key)) lines.set(key, {});
  return lines.get(key);
}

const LONGEST_WAIT = 3000;   // for the page's script to end, ms

// Of a run at whose end a fragment is asked for, Streamlit drops what it has not sent yet: a fragment is asked for when
// the run that a view's message starts has come and gone.
function whenQuiet(act) {
  const page = document.querySelector("[data-test-script-state]"), start = performance.now();
  if (page && !page.orreryRuns) {
    page.orreryRuns = new MutationObserver(() => { window.__orrery_ran = performance.now(); });
    page.orreryRuns.observe(page, { attributeFilter: ["data-test-script-state"] });
  }
  const look = setInterval(() => {
    const runs = page?.dataset.testScriptState === "running", told = window.__orrery_told ?? 0;
    if ((runs || told > (window.__orrery_ran ?? 0)) && performance.now() - start < LONGEST_WAIT) return;
    clearInterval(look);
    act();
  }, 100);
}
