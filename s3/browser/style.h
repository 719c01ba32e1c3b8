// The look of the bucket browser: one style sheet, in the page itself. Light and dark by what the
// reader's system says; colours keep a contrast of 4.5 to 1 or more (WCAG 2.1, 1.4.3).
#pragma once

#include <string_view>

namespace amphora::s3 {

inline constexpr std::string_view kBrowserStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #faf8f5; --card: #fff; --ink: #24201c; --soft: #6a6159; --line: #e7e1d9;
  --hover: #f6f1ea; --clay: #a8431f; --clay-soft: #f5e3da; --focus: #1f6feb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #171513; --card: #201d1a; --ink: #ece6df; --soft: #a89e93; --line: #36312c;
    --hover: #292521; --clay: #f0956d; --clay-soft: #3b261c; --focus: #79b0ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif;
}
.frame { max-width: 64rem; margin: 0 auto; padding: 1.75rem 1.25rem 3rem; }
a { color: inherit; text-decoration-color: transparent; text-underline-offset: .2em; }
a:hover { color: var(--clay); text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
header { display: flex; gap: .9rem; align-items: center; margin-bottom: 1.25rem; }
.jar { flex: none; width: 2.75rem; height: 2.75rem; padding: .5rem; border-radius: .8rem;
  background: var(--clay-soft); color: var(--clay); }
.product { margin: 0; font-size: .8rem; color: var(--soft); letter-spacing: .02em; }
nav ol { list-style: none; display: flex; flex-wrap: wrap; margin: 0; padding: 0;
  font-size: 1.2rem; font-weight: 600; line-height: 1.35; }
nav li { overflow-wrap: anywhere; white-space: pre-wrap; }
nav li + li::before { content: "/"; margin: 0 .4rem; color: var(--soft); font-weight: 400; }
h1 { display: inline; margin: 0; font: inherit; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .9rem;
  overflow: hidden; }
table { width: 100%; border-collapse: collapse; }
caption { padding: .7rem 1.1rem; text-align: left; color: var(--soft); font-size: .875rem;
  border-bottom: 1px solid var(--line); }
th, td { padding: .5rem 1.1rem; text-align: left; font-weight: 400; vertical-align: top; }
thead th { font-size: .75rem; font-weight: 600; color: var(--soft); text-transform: uppercase;
  letter-spacing: .05em; padding-block: .55rem; white-space: nowrap; }
tbody tr { border-top: 1px solid var(--line); }
tbody tr:hover { background: var(--hover); }
.size { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.time { white-space: nowrap; color: var(--soft); font-variant-numeric: tabular-nums; }
.name { width: 100%; overflow-wrap: anywhere; }
.name a, .name span.still { display: grid; grid-template-columns: 1.25rem 1fr; gap: .65rem; }
.name svg { width: 1.25rem; height: 1.25rem; margin-top: .1rem; color: var(--soft); }
.name .folder svg { color: var(--clay); }
.folder { font-weight: 550; }
bdi { white-space: pre-wrap; }
.kind { margin-left: .5rem; padding: .05rem .5rem; border-radius: 1rem; font-size: .75rem;
  background: var(--clay-soft); color: var(--clay); font-weight: 500; }
.dim { color: var(--soft); font-style: italic; }
.empty { margin: 0; padding: 3.5rem 1rem; text-align: center; color: var(--soft); }
.empty svg { display: block; width: 3rem; height: 3rem; margin: 0 auto .75rem; opacity: .6; }
.pages { display: flex; justify-content: space-between; gap: 1rem; padding: .8rem 1.1rem;
  border-top: 1px solid var(--line); }
.pages a { padding: .35rem .9rem; border: 1px solid var(--line); border-radius: .6rem;
  font-weight: 550; text-decoration: none; }
.pages a:hover { border-color: currentColor; }
.pages a:only-child[rel=next] { margin-left: auto; }
footer { margin-top: 1.25rem; font-size: .8rem; color: var(--soft); }
code { font: .95em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere;
  user-select: all; }
.symbols { position: absolute; width: 0; height: 0; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
@media (max-width: 40rem) {
  .frame { padding: 1rem .75rem 2rem; }
  thead { position: absolute; clip-path: inset(50%); }
  tbody tr { display: grid; grid-template-columns: auto 1fr; padding: .35rem 0; }
  .name { grid-column: 1 / -1; padding-bottom: 0; }
  .size, .time { padding-block: 0; font-size: .8rem; text-align: left; color: var(--soft); }
  .size { padding-left: 3rem; padding-right: 0; }
}
@media (forced-colors: active) { .card, .pages a, .kind { border: 1px solid; } }
)css";

}  // namespace amphora::s3
