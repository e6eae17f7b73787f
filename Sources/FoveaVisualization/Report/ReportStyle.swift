/// How reports look. The colours are those of the figures' themes.
enum ReportStyle {
    static let sheet = """
        :root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --quiet: #5b646d; --line: #e3e6ea; --soft: #f5f7f9;
          --link: #1f77b4; --right: #1e7e34; --wrong: #c42f3b; --note: #8a5a00; }
        @media (prefers-color-scheme: dark) {
          :root { --back: #16191d; --text: #e4e7eb; --quiet: #9aa2ac; --line: #30353c; --soft: #1e2228; --link: #5aa9e6;
            --right: #5fc46f; --wrong: #f2777f; --note: #e0b050; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 64rem; padding: 2.5rem 1.5rem 4rem; background: var(--back); color: var(--text);
          font: 16px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
        h1 { margin: 0; font-size: 2rem; line-height: 1.2; }
        h2 { margin: 0 0 .8rem; font-size: 1.3rem; }
        section { margin-top: 2.2rem; padding-top: 1.6rem; border-top: 1px solid var(--line); }
        p { margin: .6rem 0; max-width: 46rem; }
        a { color: var(--link); text-decoration: none; }
        a:hover { text-decoration: underline; }
        nav { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; font-size: .95rem; }
        .subtitle { color: var(--quiet); font-size: 1.1rem; margin: .3rem 0 0; }
        .results { display: flex; flex-wrap: wrap; gap: 1rem 2.8rem; margin: 1.6rem 0; }
        .results div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
        .results dd { margin: 0; font-size: 1.9rem; line-height: 1.2; font-weight: 600; }
        .results dt { color: var(--quiet); font-size: .9rem; }
        .facts { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.6rem; margin: .8rem 0; }
        .facts dt { color: var(--quiet); }
        .facts dd { margin: 0; }
        .note { color: var(--note); }
        .wide { overflow-x: auto; margin: .8rem 0; }
        table { border-collapse: collapse; font-size: .95rem; overflow-wrap: normal; }
        th, td { padding: .3rem .9rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); }
        th { color: var(--quiet); font-weight: 600; }
        .number { text-align: right; font-variant-numeric: tabular-nums; }
        pre { margin: .8rem 0; padding: .9rem 1rem; overflow-x: auto; background: var(--soft); border-radius: 6px;
          font: 13px/1.2 "DejaVu Sans Mono", ui-monospace, monospace; overflow-wrap: normal; }
        .wrapped { white-space: pre-wrap; overflow-wrap: anywhere; }
        summary { cursor: pointer; color: var(--link); }
        .figure img { display: block; max-width: 100%; height: auto; margin: .6rem 0; }
        .exhibits { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1.2rem; margin: 1rem 0; }
        .exhibits figure { margin: 0; }
        .images { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 3px; }
        .images img { display: block; width: 100%; border-radius: 3px; }
        .pixels { image-rendering: pixelated; }
        figcaption { margin-top: .35rem; line-height: 1.35; }
        figcaption small { display: block; color: var(--quiet); }
        .right { color: var(--right); }
        .wrong { color: var(--wrong); }
        """
}
