"""What the theme of .streamlit/config.toml cannot say: the mark, and the panels of `core.streamlit_app.panels`.

A bar of progress moves in steps: gliding, it has a browser without a graphics card draw the whole page sixty times a
second, on the processor that the work it shows the progress of needs.
"""

from __future__ import annotations

MARK = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32">
<g fill="none" stroke="#B8862B" stroke-width="1.6"><circle cx="16" cy="16" r="13.4"/>
<ellipse cx="16" cy="16" rx="13.4" ry="5.2" transform="rotate(-24 16 16)"/></g>
<circle cx="16" cy="16" r="3.6" fill="#B8862B"/><circle cx="27.2" cy="8.8" r="2.5" fill="#0072B2"/>
<circle cx="5.6" cy="22.4" r="2.5" fill="#D55E00"/></svg>"""

CSS = """
:root { color-scheme: light dark; }
[data-testid="stMainBlockContainer"] { max-width: 1560px; padding-top: 1.6rem; padding-bottom: 3rem; }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { color: inherit; opacity: 0.82; }
@media (min-width: 641px) { [data-testid="stHeader"] { background: transparent; } }
[data-testid="stSidebarHeader"]::after { content: "Orrery"; order: 1; flex: 1; font-size: 1.5rem; font-weight: 600;
  font-family: "Source Serif", "Source Serif Pro", Georgia, serif; margin-left: 0.55rem; }
[data-testid="stSidebarHeader"] > :last-child { order: 2; }
[data-testid="stHeading"] h1 { letter-spacing: -0.01em; padding-bottom: 0.2rem; }
[data-testid="stProgress"] div { transition: none !important; }
[data-testid="stMetricLabel"] p { font-size: 0.86rem; }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding-top: 3.6rem; }
  [data-testid="stButtonGroup"] [role="radiogroup"], [data-testid="stButtonGroup"] [role="group"] { gap: 0.35rem; }
  [data-testid="stButtonGroup"] button { border-radius: 0.45rem; margin: 0; }
  [data-testid="stButtonGroup"] button:not([data-selected="true"]) {
    border-color: color-mix(in srgb, currentColor 22%, transparent) !important; }
  .orrery-table thead { display: none; }
  .orrery-table table, .orrery-table tbody { display: block; }
  .orrery-table tr { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.1rem 0.8rem;
    padding: 0.5rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
  .orrery-table tbody th { grid-column: 1 / -1; padding: 0; border: 0; }
  .orrery-table td { display: contents; }
  .orrery-table td:empty { display: none; }
  .orrery-table td::before { content: attr(data-label); opacity: 0.78; }
}
.orrery-panel { border: 1px solid color-mix(in srgb, currentColor 22%, transparent); border-radius: 0.45rem;
  padding: 0.75rem 1rem; margin: 0.2rem 0; border-left-width: 4px; }
.orrery-panel h4 { margin: 0 0 0.45rem; padding: 0; font-size: 1rem; }
.orrery-panel p { margin: 0; overflow-wrap: anywhere; }
.orrery-line { display: block; padding: 0.45rem 1rem; }
.orrery-line summary { display: flex; gap: 0.6rem; cursor: pointer; list-style: none; }
.orrery-line summary::-webkit-details-marker { display: none; }
.orrery-line summary p { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.orrery-line summary::after { content: "more"; text-decoration: underline; opacity: 0.82; }
.orrery-line[open] summary p { white-space: normal; }
.orrery-line[open] summary::after { content: "less"; }
.orrery-error { border-left-color: #C4432B; }
.orrery-warning { border-left-color: #C98A14; }
.orrery-note { border-left-color: #0072B2; }
.orrery-panel dl, dl.orrery-facts { padding: 0 !important; display: grid;
  grid-template-columns: max-content minmax(0, 1fr); gap: 0.2rem 0.9rem;
  margin: 0 !important; font-size: 0.93rem; }
.orrery-panel dt, .orrery-facts dt { opacity: 0.78; font-weight: 400; }
.orrery-panel dd, .orrery-facts dd { margin: 0 !important; overflow-wrap: anywhere; }
.orrery-gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: 0.7rem; }
.orrery-gallery figure { margin: 0; }
.orrery-gallery img, .orrery-nopicture { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 0.35rem;
  display: block; background: color-mix(in srgb, currentColor 8%, transparent); }
.orrery-nopicture { display: grid; place-items: center; font-size: 0.8rem; opacity: 0.8; }
.orrery-gallery figcaption { font-size: 0.8rem; line-height: 1.25; margin-top: 0.25rem; overflow-wrap: anywhere; }
.orrery-gallery figcaption span { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical;
  overflow: hidden; }
.orrery-gallery figcaption small { font-size: 0.78rem; opacity: 0.82; font-variant-numeric: tabular-nums; }
.orrery-welcome h1 { font-family: "Source Serif", "Source Serif Pro", Georgia, serif; font-size: 2.7rem;
  font-weight: 600; padding: 0; margin: 0 0 0.4rem; }
.orrery-h { font-size: 1rem; font-weight: 600; margin: 0.2rem 0 0.5rem; }
.orrery-welcome p { font-size: 1.12rem; line-height: 1.55; max-width: 46rem; margin: 0 0 0.6rem; }
.orrery-start ol { padding-left: 1.2rem; margin: 0.4rem 0 0; line-height: 1.5; }
.orrery-start li { margin-bottom: 0.6rem; }
.orrery-lines { display: grid; grid-template-columns: minmax(0, 1fr) max-content max-content; gap: 0.3rem 0.9rem;
  font-size: 0.92rem; font-variant-numeric: tabular-nums; }
.orrery-lines > :nth-child(3n+1) { overflow-wrap: anywhere; }
.orrery-lines .head { font-size: 0.8rem; opacity: 0.78; }
.orrery-card img { width: 100%; max-height: 280px; object-fit: contain; border-radius: 0.45rem; display: block;
  background: color-mix(in srgb, currentColor 6%, transparent); }
.orrery-card blockquote { margin: 0.5rem 0; padding: 0.1rem 0 0.1rem 0.8rem; font-size: 1.02rem; line-height: 1.4;
  border-left: 3px solid #B8862B; overflow-wrap: anywhere; }
.orrery-chips { display: flex; flex-wrap: wrap; gap: 0.35rem; font-size: 0.86rem; }
.orrery-chips span { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 1rem;
  padding: 0.08rem 0.6rem; overflow-wrap: anywhere; }
.orrery-table { overflow-x: auto; }
.orrery-table table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; width: 100%; }
.orrery-table th, .orrery-table td { text-align: left; font-weight: 400; vertical-align: top; padding: 0.32rem 0.7rem;
  border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
.orrery-table thead th { opacity: 0.78; white-space: nowrap; }
.orrery-table tbody th { font-weight: 600; }
.orrery-table td:last-child { min-width: 15rem; }
.orrery-chips u { text-decoration: underline dashed #C98A14 2px; text-underline-offset: 3px; }
"""

DARK_CSS = """[data-testid="stBaseButton-primary"], [data-testid="stBaseButton-primary"] p,
[data-testid="stBaseButton-primaryFormSubmit"] p { color: #14182A; }"""
