/// What makes an open page live: it asks for itself again and changes in place what is different.
enum PageScript {
    static let text = #"""
        (() => {
          "use strict";
          const root = document.documentElement;
          const version = root.dataset.live;
          if (!version) return;
          const live = document.getElementById("live");
          const period = 2000;
          let lost = null;

          const say = (text) => { if (live.textContent !== text) live.textContent = text; };

          // Whether somebody is about to send it: what they saw is not changed under their hands.
          const isInUse = (form) =>
            form.contains(document.activeElement) ||
            [...form.elements].some((field) =>
              field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue);

          const attributes = (old, now) => {
            for (const { name } of [...old.attributes]) {
              // Whether a part is unfolded is the reader's to say.
              if (!now.hasAttribute(name) && !(name === "open" && old.tagName === "DETAILS")) old.removeAttribute(name);
            }
            for (const { name, value } of [...now.attributes]) {
              if (name === "open" && old.tagName === "DETAILS") continue;
              if (old.getAttribute(name) !== value) old.setAttribute(name, value);
            }
          };

          const isAlike = (old, now) =>
            old.nodeType === now.nodeType && old.nodeName === now.nodeName && (old.id || "") === (now.id || "");

          const morph = (old, now) => {
            if (old.nodeType !== Node.ELEMENT_NODE) {
              if (old.nodeValue !== now.nodeValue) old.nodeValue = now.nodeValue;
              return;
            }
            if (old.tagName === "FORM" && isInUse(old)) return;
            attributes(old, now);
            let place = old.firstChild;
            for (const wanted of [...now.childNodes]) {
              if (place && isAlike(place, wanted)) {
                const next = place.nextSibling;
                morph(place, wanted);
                place = next;
                continue;
              }
              const known = wanted.id && [...old.children].find((child) => child.id === wanted.id);
              if (known && isAlike(known, wanted)) {
                // What stands between is gone, or comes later and is then moved here in its turn.
                old.insertBefore(known, place);
                morph(known, wanted);
              } else {
                old.insertBefore(document.importNode(wanted, true), place);
              }
            }
            while (place) {
              const next = place.nextSibling;
              place.remove();
              place = next;
            }
          };

          const look = async () => {
            const answer = await fetch(location.href, { cache: "no-store", redirect: "error" });
            const text = await answer.text();
            const page = new DOMParser().parseFromString(text, "text/html");
            const shown = page.documentElement.dataset.live;
            if (!answer.ok || !shown) throw new Error(answer.status === 404 ? "It is gone" : "No answer");
            if (shown !== version) {
              // Another version of the controller: its looks and scripts may be others.
              if (![...document.forms].some(isInUse)) location.reload();
              return;
            }
            document.title = page.title;
            for (const id of ["content", "as-of"]) {
              morph(document.getElementById(id), page.getElementById(id));
            }
          };

          const turn = async () => {
            if (!document.hidden) {
              try {
                await look();
                lost = null;
                root.classList.remove("lost");
                say("Live: changes show by themselves.");
              } catch (error) {
                lost ??= new Date().toISOString().slice(11, 19);
                root.classList.add("lost");
                say(`Not live since ${lost} UTC: the controller does not answer. What is shown may be over.`);
              }
            }
            setTimeout(turn, period);
          };

          document.addEventListener("visibilitychange", () => { if (!document.hidden) look().catch(() => {}); });
          setTimeout(turn, period);
          say("Live: changes show by themselves.");
        })();

        """#
}
