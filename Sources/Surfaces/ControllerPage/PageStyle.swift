/// How the pages look: light and dark as the reader's system is, from a phone's width up.
enum PageStyle {
    static let text = #"""
        :root {
          color-scheme: light dark;
          --back: #f6f7f9; --paper: #ffffff; --text: #16191d; --quiet: #545c66; --line: #d3d8de; --link: #0a4f96;
          --bad: #a8071a; --bad-back: #ffeceb; --warn: #7a4500; --warn-back: #fff3d6; --good: #14622f;
          --good-back: #e3f5e8; --move: #0a4f96; --move-back: #e2effc; --dim-back: #eceff2;
          --canary: #0b62c4; --stable: #6b4fa0; --limit: #a8071a;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --back: #101317; --paper: #181c22; --text: #e7eaee; --quiet: #a5aeb9; --line: #353c46; --link: #86bdf5;
            --bad: #ff9d94; --bad-back: #421a1a; --warn: #f2c063; --warn-back: #3a2c10; --good: #7fd99a;
            --good-back: #143020; --move: #86bdf5; --move-back: #14293f; --dim-back: #262c34;
            --canary: #6db3ff; --stable: #c3a6f5; --limit: #ff9d94;
          }
        }
        * { box-sizing: border-box; }
        html { font: 16px/1.45 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
          background: var(--back); color: var(--text); -webkit-text-size-adjust: 100%; }
        body { margin: 0 auto; max-width: 84rem; padding: 0 1rem 3rem; }
        main:focus { outline: none; }
        h1 { font-size: 1.6rem; line-height: 1.25; margin: .4rem 0; overflow-wrap: anywhere; }
        h2 { font-size: 1.05rem; margin: 0 0 .4rem; }
        h3 { font-size: 1rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
        p { margin: .3rem 0; overflow-wrap: anywhere; }
        ul, ol { margin: .3rem 0; padding-left: 1.2rem; }
        li { overflow-wrap: anywhere; }
        a { color: var(--link); }
        a, summary, button, input, select, [tabindex="0"] { border-radius: .3rem; }
        :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
        code { font: .9em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
        .skip { position: absolute; left: -100rem; }
        .skip:focus { position: static; }
        .top { display: flex; flex-wrap: wrap; gap: .2rem 1rem; justify-content: space-between; align-items: center;
          border-bottom: 1px solid var(--line); padding: .5rem 0; }
        .top ul { display: flex; gap: 1rem; list-style: none; margin: 0; padding: 0; }
        .top a { display: inline-block; padding: .25rem 0; }
        .top a[aria-current] { font-weight: 700; text-decoration: none; color: var(--text); }
        .who { margin: 0; color: var(--quiet); }
        .bottom { border-top: 1px solid var(--line); color: var(--quiet); margin-top: 1.5rem; font-size: .9rem; }
        .lost body { border-top: .4rem solid var(--bad); }
        .lost #live { position: sticky; bottom: 0; background: var(--bad-back); color: var(--bad); padding: .5rem;
          font-weight: 700; }
        .quiet-label, .hint, .space, .also, .facts { color: var(--quiet); }
        .quiet-label, .hint { font-size: .9rem; }
        h2.quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

        .badge { display: inline-block; font-size: .85rem; font-weight: 700; line-height: 1.5; padding: 0 .5rem;
          border-radius: 1rem; white-space: nowrap; vertical-align: middle; border: 1px solid currentColor; }
        h1 .badge { margin-right: .3rem; }
        .badge.broken, .badge.quarantined { background: var(--bad-back); color: var(--bad); }
        .badge.held, .badge.misdeclared, .badge.out-of-sync, .badge.unseen { background: var(--warn-back);
          color: var(--warn); }
        .badge.rolling-out { background: var(--move-back); color: var(--move); }
        .badge.healthy { background: var(--good-back); color: var(--good); }

        .verdict { font-size: 1.15rem; font-weight: 600; }
        .crumbs { margin-top: .6rem; }
        .answer { padding: .6rem .8rem; border: 2px solid; border-radius: .4rem; }
        .answer.taken { border-color: var(--good); background: var(--good-back); }
        .answer.refused { border-color: var(--bad); background: var(--bad-back); }

        .counts { display: flex; flex-wrap: wrap; gap: .4rem; list-style: none; padding: 0; margin: .6rem 0; }
        .counts a {
        display: inline-block; padding: .35rem .7rem; border: 1px solid var(--line); background: var(--paper);
          text-decoration: none; color: var(--text); }
        .counts a.broken, .counts a.quarantined { border-color: var(--bad); color: var(--bad); }
        .counts a.held, .counts a.misdeclared, .counts a.out-of-sync, .counts a.unseen { border-color: var(--warn);
          color: var(--warn); }
        .counts a.rolling-out { border-color: var(--move); color: var(--move); }
        .counts a.healthy { border-color: var(--good); color: var(--good); }
        .counts a[aria-current] { outline: 2px solid currentColor; font-weight: 700; }
        .search { display: flex; flex-wrap: wrap; gap: .3rem .6rem; align-items: center; margin: .6rem 0; }
        input, select, button { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--quiet);
          padding: .4rem .6rem; max-width: 100%; min-height: 2.5rem; }
        input:not([type="hidden"]) { width: 22rem; }
        button { cursor: pointer; background: var(--dim-back); font-weight: 600; }
        button.primary { background: var(--link); color: var(--paper); border-color: var(--link); }
        .danger button.primary { background: var(--bad); border-color: var(--bad); }

        .fleet { list-style: none; padding: 0; margin: .6rem 0; border: 1px solid var(--line); border-radius: .4rem;
          background: var(--paper); overflow: hidden; }
        .row { display: grid; grid-template-columns: 9.5rem minmax(9rem, 15rem) minmax(0, 1fr) 10rem 4.5rem;
          gap: .2rem 1rem; padding: .55rem .8rem; border-left: .35rem solid var(--line); }
        .row + .row { border-top: 1px solid var(--line); }
        .row.broken, .row.quarantined { border-left-color: var(--bad); }
        .row.held, .row.misdeclared, .row.out-of-sync, .row.unseen { border-left-color: var(--warn); }
        .row.rolling-out { border-left-color: var(--move); }
        .row.healthy { border-left-color: var(--good); }
        .row-name a { font-weight: 700; }
        .row-name .space { font-weight: 400; }
        .row-name .model { display: block; }
        .also { display: block; font-size: .85rem; }
        .row-words { overflow-wrap: anywhere; }
        .row-progress span { display: block; font-size: .9rem; }
        .row-since { text-align: right; white-space: nowrap; }
        .pager { display: flex; gap: 1rem; }

        .bar { display: inline-block; width: 7rem; max-width: 100%; height: .6rem; vertical-align: middle;
          border: 1px solid var(--quiet); border-radius: .2rem; }
        .bar .track { fill: var(--dim-back); }
        .bar .fill { fill: var(--canary); }
        .bar.safe .fill { fill: var(--good); }
        .bar.breach .fill { fill: var(--bad); }
        .bar.stable-fill .fill, .bar.previous-fill .fill { fill: var(--stable); }

        .columns { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
        @media (min-width: 70rem) {
          .columns { grid-template-columns: minmax(0, 5fr) minmax(0, 7fr) minmax(0, 4.5fr); }
        }
        @media (min-width: 48rem) and (max-width: 69.99rem) {
          .columns { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
          .third { grid-column: 1 / -1; }
        }
        section { background: var(--paper); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem .9rem;
          margin: 0 0 1rem; }
        .callout { border-width: 2px; }
        .callout.held, .callout.misdeclared { border-color: var(--warn); background: var(--warn-back); }
        .callout.quarantined { border-color: var(--bad); background: var(--bad-back); }
        .choices { list-style: none; padding: 0; margin: 0; }
        .choices li { margin: .4rem 0; }
        .choice { border: 1px solid var(--quiet); border-radius: .4rem; background: var(--paper); }
        .choice summary { padding: .5rem .7rem; cursor: pointer; }
        .choice summary b { color: var(--link); }
        .choice.danger summary b { color: var(--bad); }
        .choice form { padding: 0 .7rem .6rem; border-top: 1px solid var(--line); }
        .choice label, .login label { display: block; font-weight: 600; }
        .effect { color: var(--quiet); }
        .effect::before { content: "– "; }
        .ends { background: var(--warn-back); color: var(--warn); border: 1px solid var(--warn); border-radius: 1rem;
          padding: 0 .5rem; font-size: .85rem; }

        .steps, .gates { list-style: none; padding: 0; }
        .step { padding: .15rem 0; }
        .step.current { color: var(--move); }
        .step.pending { color: var(--quiet); }
        .step.done > span:first-child { color: var(--good); }
        .gate { padding: .5rem 0; }
        .gate + .gate { border-top: 1px solid var(--line); }
        .gate.passed .mark, .gate.passed .outcome { color: var(--good); }
        .gate.failed .mark, .gate.failed .outcome { color: var(--bad); font-weight: 700; }
        .gate.undecided .mark, .gate.undecided .outcome { color: var(--move); }
        .gate.blind .mark, .gate.blind .outcome { color: var(--warn); }
        .expected { background: var(--move-back); color: var(--move); border-radius: 1rem; padding: 0 .5rem;
          font-size: .9rem; }
        .meter { display: flex; flex-wrap: wrap; gap: 0 .6rem; align-items: center; font-size: .9rem; }

        .legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; font-size: .9rem; }
        .legend li::before { content: ""; display: inline-block; width: 1.6rem; margin-right: .4rem;
          vertical-align: middle; border-top: .2rem solid var(--canary); }
        .legend .stable::before { border-top: .13rem solid var(--stable); }
        .legend .limit::before { border-top: .13rem dashed var(--limit); }
        .legend .band::before { border-top: .7rem solid var(--canary); opacity: .3; }
        .chart { margin: .8rem 0; }
        figcaption { font-size: .9rem; }
        figcaption span { color: var(--quiet); }
        .plot { position: relative; padding: 0 0 1.3rem 3.6rem; font-size: .8rem; color: var(--quiet); }
        .plot svg { display: block; width: 100%; height: 7.5rem; border-left: 1px solid var(--quiet);
          border-bottom: 1px solid var(--quiet); }
        .plot span { position: absolute; }
        .y-top { top: -.2rem; left: 0; width: 3.2rem; text-align: right; }
        .y-zero { bottom: 1.1rem; left: 0; width: 3.2rem; text-align: right; }
        .x-start { bottom: 0; left: 3.6rem; }
        .x-end { bottom: 0; right: 0; }
        .plot path { vector-effect: non-scaling-stroke; fill: none; }
        .plot .line { stroke-linejoin: round; stroke-linecap: round; }
        .plot .line.canary { stroke: var(--canary); stroke-width: 3; }
        .plot .line.stable { stroke: var(--stable); stroke-width: 2; }
        .plot .line.limit { stroke: var(--limit); stroke-width: 2; stroke-dasharray: 6 4; }
        .plot .border { stroke: var(--line); stroke-width: 1; }
        .plot .area.canary { fill: var(--canary); opacity: .22; }
        .plot .area.stable { fill: var(--stable); opacity: .22; }
        table { border-collapse: collapse; font-size: .9rem; }
        th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line);
          vertical-align: top; }
        .scroll { overflow-x: auto; }
        summary { cursor: pointer; padding: .2rem 0; }

        .card { border-top: 1px solid var(--line); padding: .6rem 0; }
        .card .track-name { font-size: .85rem; padding: .05rem .5rem; border-radius: 1rem; border: 1px solid; }
        .card.canary .track-name { color: var(--canary); }
        .card.stable .track-name, .card.previous .track-name { color: var(--stable); }
        dl { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); gap: .1rem .6rem; margin: .4rem 0;
          font-size: .92rem; }
        dt { color: var(--quiet); }
        dd { margin: 0; overflow-wrap: anywhere; }
        .replica.unready b, .failure { color: var(--bad); }
        .events { list-style: none; padding: 0; }
        .event { padding: .25rem 0 .25rem .6rem; border-left: .25rem solid var(--line); margin: .15rem 0; }
        .event.good { border-left-color: var(--good); }
        .event.bad { border-left-color: var(--bad); }
        .event.warned { border-left-color: var(--warn); }
        .event-time { font-variant-numeric: tabular-nums; color: var(--quiet); }
        .event-kind { font-weight: 700; }
        .manifest, .repositories { margin: .8rem 0; }

        @media (max-width: 47.99rem) {
          body { padding: 0 .6rem 2rem; }
          .row { grid-template-columns: minmax(0, 1fr) auto; }
          .row-state { grid-column: 1; }
          .row-since { grid-column: 2; grid-row: 1; }
          .row-name, .row-words, .row-progress { grid-column: 1 / -1; }
          .row-name .model { display: inline; margin-left: .6rem; }
          .also { display: inline; }
          .row-progress span { display: inline; }
          input:not([type="hidden"]) { width: 100%; }
          .search label { flex-basis: 100%; }
          dl { grid-template-columns: 5rem minmax(0, 1fr); }
        }
        @media (prefers-reduced-motion: no-preference) { .bar .fill { transition: width .4s; } }

        """#
}
