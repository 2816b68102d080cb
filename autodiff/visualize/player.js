// Steps through a backward pass. Each player is a <div class="autodiff-player"> that shows its picture and its steps
// as text where no script runs; here it gets a shadow root, so that no two players, nor the page around them, collide.
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const PAUSE = 1800; // milliseconds of a step while it plays
  const NARROW = 830;

  // -- small tools -------------------------------------------------------------------------------

  // All words go through text nodes: a name may be anything.
  function make(tag, look, ...inside) {
    const element = document.createElement(tag);
    if (look) element.className = look;
    element.append(...inside.filter((part) => part !== null && part !== undefined && part !== false && part !== ""));
    return element;
  }

  function draw(tag, attributes) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  function size(word) {
    return word.endsWith("inf") || word === "nan" || word === "True" || word === "False" ? NaN : Number(word);
  }

  // A cell's looks: its sign as a class, its share of the largest as a depth.
  function tint(element, word, largest) {
    const x = size(word);
    element.classList.remove("pos", "neg", "odd");
    if (word && Number.isNaN(x) && word !== "True" && word !== "False") element.classList.add("odd");
    else if (x) element.classList.add(x > 0 ? "pos" : "neg");
    element.style.setProperty("--depth", x ? `${8 + (60 * Math.abs(x)) / largest}%` : "0%");
  }

  function largestOf(words) {
    return words.reduce((most, word) => Math.max(most, Math.abs(size(word)) || 0), 0) || 1;
  }

  function grid(data) {
    const rows = make("div", "rows");
    if (data.l) {
      rows.classList.add("lines");
      rows.append(...data.l.filter(Boolean).map((line) => make("div", "", line)));
    } else if (data.h !== undefined) {
      rows.classList.add("tints");
      rows.style.gridTemplateColumns = `repeat(${data.w}, var(--square))`;
      for (const letter of data.h) {
        const square = make("i");
        const level = letter.toLowerCase().charCodeAt(0) - 96;
        if (letter === "!") square.className = "odd";
        else if (letter !== ".") {
          square.className = letter === letter.toLowerCase() ? "pos" : "neg";
          square.style.setProperty("--depth", `${8 + (70 * level) / 9}%`);
        }
        rows.append(square);
      }
    } else {
      const words = data.c.split(" ");
      const largest = largestOf(words);
      rows.classList.add("cells");
      rows.style.gridTemplateColumns = `repeat(${data.w}, auto)`;
      for (const word of words) {
        const cell = make("span", "", word);
        tint(cell, word, largest);
        rows.append(cell);
      }
    }
    const whole = make("div", "grid", rows);
    if (data.s) whole.append(make("small", "", data.s));
    if (data.o) whole.append(make("small", "odd-count", data.o));
    return whole;
  }

  // Painted on a canvas, a colour of any notation is red, green, blue and how much it covers.
  const brush = make("canvas").getContext("2d", { willReadFrequently: true });

  function luminance(element) {
    for (let at = element; at; at = at.parentElement || (at.getRootNode().host ?? null)) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = getComputedStyle(at).backgroundColor;
      brush.fillRect(0, 0, 1, 1);
      const [r, g, b, cover] = brush.getImageData(0, 0, 1, 1).data;
      if (cover > 127) return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
    }
    const dark = /dark/.test(getComputedStyle(document.documentElement).colorScheme);
    return dark && matchMedia("(prefers-color-scheme: dark)").matches ? 0 : 1;
  }

  // -- one player --------------------------------------------------------------------------------

  class Player {
    constructor(host) {
      this.host = host;
      this.data = JSON.parse(host.querySelector('script[type="application/json"]').textContent);
      this.last = this.data.steps.length + 1;
      this.at = -1;
      this.timer = null;
      this.calm = matchMedia("(prefers-reduced-motion: reduce)");
      const shadow = host.attachShadow({ mode: "open" });
      const style = make("style");
      style.textContent = host.querySelector("style").textContent;
      shadow.append(style, this.build());
      this.readPicture();
      this.readHistory();
      this.root.addEventListener("keydown", (event) => this.key(event));
      new ResizeObserver(() => this.fit()).observe(this.root);
      this.watchTheme();
      this.fit();
      this.go(0);
    }

    build() {
      const button = (words, title, act) => {
        const made = make("button", "", words);
        made.type = "button";
        made.title = title;
        made.setAttribute("aria-label", title.replace(/ \(.*/, ""));
        made.addEventListener("click", act);
        return made;
      };
      this.first = button("|◀", "to the start (Home)", () => this.halt(0));
      this.back = button("◀", "one step back (left arrow)", () => this.halt(this.at - 1));
      this.next = button("▶", "one step on (right arrow)", () => this.halt(this.at + 1));
      this.end = button("▶|", "to the end (End)", () => this.halt(this.last));
      this.play = button("play", "play or pause (space)", () => this.toggle());
      this.play.classList.add("play");
      this.slider = make("input");
      Object.assign(this.slider, { type: "range", min: 0, max: this.last, step: 1, value: 0 });
      this.slider.setAttribute("aria-label", "step");
      this.slider.addEventListener("input", () => this.halt(Number(this.slider.value)));
      this.place = make("output");
      const controls = make("div", "controls", this.first, this.back, this.next, this.end, this.play, this.slider, this.place);

      const picture = this.host.querySelector("img");
      const text = decodeURIComponent(picture.src.slice(picture.src.indexOf(",") + 1));
      this.svg = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
      this.svg.setAttribute("role", "img");
      this.svg.setAttribute("aria-label", picture.alt);
      this.graph = make("div", "graph", this.svg);
      this.graph.tabIndex = -1;
      this.explanation = make("div", "explanation");
      const note = this.host.querySelector(".note");
      this.live = make("p", "live");
      this.live.setAttribute("aria-live", "polite");
      this.root = make("div", "player", controls, this.graph, this.explanation, note && make("p", "note", note.textContent), this.live);
      this.root.tabIndex = 0;
      this.root.setAttribute("role", "group");
      this.root.setAttribute("aria-label", `The backward pass of ${this.data.loss}, step by step`);
      return this.root;
    }

    // -- the picture: what can be shown in it --

    readPicture() {
      this.cards = new Map();
      this.grads = new Map();
      this.edges = new Map();
      this.wide = Number(this.svg.getAttribute("width"));
      this.high = Number(this.svg.getAttribute("height"));
      for (const group of this.svg.querySelectorAll(".g")) {
        const paths = [...group.querySelectorAll("path")];
        const texts = [...group.querySelectorAll("text")];
        const words = texts.map((text) => text.textContent);
        const lines = words.some((word) => word.includes(" ") || /[(,]/.test(word));
        if (group.id.endsWith("-grad")) this.grads.set(group.id.slice(0, -5), { paths, texts, shown: null });
        paths.forEach((path, i) => tint(path, lines ? "" : (words[i] ?? ""), largestOf(words)));
      }
      const turns = new Map();
      this.data.steps.forEach((step, i) => turns.has(step.card) || turns.set(step.card, i + 1));
      for (const card of this.svg.querySelectorAll(".card")) {
        const box = card.querySelector("rect");
        const [x, y] = ["x", "y"].map((name) => Number(box.getAttribute(name)));
        const count = draw("g", { class: "count" });
        const word = draw("text", { x: x + 23, y: y + 3.5 });
        count.append(draw("rect", { x: x + 5, y: y - 7, width: 36, height: 14, rx: 7 }), word);
        card.append(count);
        this.cards.set(card.id, { card, word });
        if (turns.has(card.id)) {
          card.classList.add("turn");
          card.addEventListener("click", () => this.halt(turns.get(card.id)));
        }
      }
      for (const edge of this.svg.querySelectorAll(".edge.gradient")) {
        // A gradient runs against the arrow, so its own arrowhead is at the line's other end.
        const [x, y, nearX, nearY] = edge.querySelector("path").getAttribute("d").match(/-?[\d.]+/g).map(Number);
        const length = Math.hypot(nearX - x, nearY - y) || 1;
        const [dx, dy] = [(nearX - x) / length, (nearY - y) / length];
        const corner = (along, aside) => `${x + along * dx - aside * dy},${y + along * dy + aside * dx}`;
        edge.append(draw("polygon", { class: "back", points: [corner(-1, 0), corner(10, 5), corner(10, -5)].join(" ") }));
        const end = edge.querySelector("path").getAttribute("d").match(/-?[\d.]+/g).slice(-2).join(" ");
        const tip = edge.querySelector("polygon").getAttribute("points").split(" ")[1];
        edge.append(draw("path", { class: "back", d: `M${end}L${tip}` })); // where the arrowhead was
        this.edges.set(edge.id, edge);
      }
    }

    // For each node the sums that it shows, each from a step on; and when each edge is passed.
    readHistory() {
      this.history = new Map();
      this.passed = new Map();
      const say = (node, at, shown, got, need) => {
        if (!this.history.has(node)) this.history.set(node, []);
        const told = this.history.get(node);
        if (told.length && told.at(-1).at === at) told.pop();
        told.push({ at, shown, got, need });
      };
      this.data.steps.forEach((step, i) => {
        for (const part of step.in) say(part.node, i + 1, part.grid, 1, 1);
        for (const part of step.out) {
          say(part.node, i + 1, part.sum, part.got, part.need);
          this.passed.set(part.edge, i + 1);
        }
      });
      for (const leaf of this.data.leaves) say(leaf.node, this.last, leaf.grid, 1, 1);
    }

    // -- moving --

    halt(at) {
      this.stop();
      this.go(at);
    }

    go(at) {
      at = Math.max(0, Math.min(this.last, at));
      if (at === this.at) return;
      this.at = at;
      this.paint();
      this.explain();
      this.slider.value = at;
      const place = at === 0 ? "start" : at === this.last ? "done" : `${at}/${this.last - 1}`;
      this.place.textContent = place;
      this.slider.setAttribute("aria-valuetext", at && at < this.last ? `step ${at} of ${this.last - 1}` : place);
      this.first.disabled = this.back.disabled = at === 0;
      this.next.disabled = this.end.disabled = at === this.last;
      this.reveal();
    }

    toggle() {
      if (this.timer !== null) return this.stop();
      if (this.at === this.last) this.go(0);
      this.play.textContent = "pause";
      this.live.setAttribute("aria-live", "off");
      this.timer = setInterval(() => {
        if (!this.host.isConnected) return this.stop();
        this.go(this.at + 1);
        if (this.at === this.last) this.stop();
      }, PAUSE);
    }

    stop() {
      clearInterval(this.timer);
      this.timer = null;
      this.play.textContent = "play";
      this.live.setAttribute("aria-live", "polite");
    }

    key(event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const onButton = event.target.tagName === "BUTTON";
      const acts = {
        ArrowRight: () => this.halt(this.at + 1),
        ArrowLeft: () => this.halt(this.at - 1),
        Home: () => this.halt(0),
        End: () => this.halt(this.last),
        " ": onButton ? null : () => this.toggle(),
      };
      event.stopPropagation(); // a notebook has keys of its own
      if (!acts[event.key]) return;
      event.preventDefault();
      acts[event.key]();
    }

    // -- showing a step in the picture --

    paint() {
      const at = this.at;
      const step = this.data.steps[at - 1];
      const gets = new Set(step ? step.out.map((part) => part.card) : []);
      const state = new Map();
      for (const [node, told] of this.history) {
        let now = -1;
        while (now + 1 < told.length && told[now + 1].at <= at) now++;
        state.set(node, told[now]);
        const cells = this.grads.get(node);
        if (cells && cells.shown !== now) {
          cells.shown = now;
          this.fill(cells, now < 0 ? null : this.data.grids[told[now].shown]);
        }
      }
      const waiting = new Map();
      for (const each of this.data.steps) {
        for (const part of each.out) {
          const now = state.get(part.node);
          if (now && now.got < now.need) waiting.set(part.card, now);
        }
      }
      const spent = new Map();
      this.data.steps.forEach((each, i) => spent.set(each.card, i + 1));
      for (const [id, { card, word }] of this.cards) {
        const flags = {
          now: step !== undefined && step.card === id,
          gets: gets.has(id),
          waits: waiting.has(id),
          spent: spent.has(id) && spent.get(id) < at,
          final: at === this.last && this.data.leaves.some((leaf) => leaf.card === id),
        };
        for (const [flag, on] of Object.entries(flags)) card.classList.toggle(flag, on);
        const count = waiting.get(id);
        if (count) word.textContent = `${count.got} of ${count.need}`;
      }
      for (const [id, edge] of this.edges) {
        const turn = this.passed.get(id);
        edge.classList.toggle("now", turn === at);
        edge.classList.toggle("spent", turn !== undefined && turn < at);
      }
    }

    fill({ paths, texts }, data) {
      const words = data === null ? [] : (data.l || data.c.split(" "));
      const largest = data && data.c ? largestOf(words) : 1;
      texts.forEach((text, i) => (text.textContent = words[i] ?? ""));
      paths.forEach((path, i) => tint(path, data && data.c ? words[i] : "", largest));
      texts.forEach((text, i) => text.classList.toggle("on-odd", paths[i] !== undefined && paths[i].classList.contains("odd")));
    }

    // Scrolls the graph, never the page, to what this step is about.
    reveal() {
      const pane = this.graph.getBoundingClientRect();
      const boxes = [...this.svg.querySelectorAll(".card.now, .card.gets")].map((card) => card.getBoundingClientRect());
      const place = this.at === 0 ? this.cards.get(this.homeOfRoot())?.card : null;
      if (place && !boxes.length) boxes.push(place.getBoundingClientRect());
      if (!boxes.length) {
        const left = (this.svg.getBoundingClientRect().width - pane.width) / 2; // the whole, if it fits, or its middle
        return this.graph.scrollTo({ top: 0, left, behavior: this.calm.matches ? "auto" : "smooth" });
      }
      const shift = (low, high, from, to) => {
        if (high - low > to - from) return low - from - 12;
        if (low < from + 12) return low - from - 24;
        return high > to - 12 ? high - to + 24 : 0;
      };
      const span = (side) => boxes.map((box) => box[side]);
      const [left, right] = [Math.min(...span("left")), Math.max(...span("right"))];
      this.graph.scrollBy({
        top: shift(Math.min(...span("top")), Math.max(...span("bottom")), pane.top, pane.bottom),
        left: this.at === 0 ? (left + right - pane.left - pane.right) / 2 : shift(left, right, pane.left, pane.right),
        behavior: this.calm.matches || this.at === 0 ? "auto" : "smooth",
      });
    }

    homeOfRoot() {
      return this.data.steps.length ? this.data.steps[0].card : this.data.root;
    }

    // -- showing a step in words --

    explain() {
      const { at, last, data } = this;
      const parts = at === 0 ? this.start() : at === last ? this.finish() : this.step(data.steps[at - 1]);
      this.explanation.replaceChildren(...parts);
      this.explanation.scrollTop = 0;
    }

    title(place, words, code) {
      return make("h3", "", make("span", "place", place), words, code && make("code", "", code));
    }

    figure(index, caption) {
      return make("figure", "", grid(this.data.grids[index]), make("figcaption", "", caption));
    }

    start() {
      const { loss, seed, caption, steps } = this.data;
      this.live.textContent = `Start. The backward pass of ${loss} has ${steps.length} steps.`;
      return [
        this.title("Start", "the forward pass is done"),
        make("p", "", "Every card holds its value; the grad rows are still empty."),
        make("p", "", "The backward pass starts at ", make("code", "", loss), " with the seed"),
        make("div", "sum", this.figure(seed, caption)),
        make(
          "p",
          "",
          `and visits each op once, in ${steps.length} step${steps.length === 1 ? "" : "s"}: when its gradient is complete, `,
          "the op hands a contribution to each of its inputs. The badges say in which step.",
        ),
        make("p", "faint", "Keys: ← → one step, Home, End, space plays. A click on a card goes to its step."),
      ];
    }

    finish() {
      const { leaves, loss } = this.data;
      this.live.textContent = `Done. ${leaves.map((leaf) => `${leaf.name}: gradient complete`).join("; ")}.`;
      return [
        this.title("Done", "every gradient is complete"),
        make("p", "", make("code", "", `${loss}.backward()`), " adds these to the parameters' .grad:"),
        make(
          "div",
          "leaves",
          ...leaves.map((leaf) =>
            make(
              "section",
              "complete",
              make("h4", "", make("code", "", `${leaf.name}.grad`)),
              leaf.hook !== undefined && this.hooked(leaf),
              make("div", "sum", grid(this.data.grids[leaf.grid])),
            ),
          ),
        ),
      ];
    }

    hooked(part) {
      return make("div", "sum", this.figure(part.hook, "the sum of the contributions"), term("→", this.figure(part.grid, "after a hook")));
    }

    step(step) {
      const { at, last } = this;
      const said = step.out.map((part) => part.state).join("; ");
      this.live.textContent = `Step ${at} of ${last - 1}: backward through ${step.title}. ${said}.`;
      const parts = [this.title(`Step ${at} of ${last - 1}`, "backward through ", step.title)];
      if (step.line) parts.push(make("p", "line", step.line, step.code && make("code", "", step.code)));
      const folded = step.out.every((part) => part.from === undefined);
      for (const part of step.in) {
        if (part.hook !== undefined) parts.push(make("p", "", `A hook of ${part.name} replaced what arrives:`), this.hooked(part));
        else if (folded) parts.push(make("div", "sum", this.figure(part.grid, `${this.slope(part.name)} (arrives)`)));
        if (part.mask) parts.push(make("p", "mask", `${part.name}: ${part.mask}`));
      }
      parts.push(...step.out.map((part) => this.contribution(step, part)));
      if (!step.out.length) parts.push(make("p", "", "Its inputs are constants, or inside the same card: nothing passes further."));
      return parts;
    }

    slope(name) {
      return `∂${this.data.loss}/∂${name}`;
    }

    contribution(step, part) {
      const done = part.got === part.need;
      const section = make(
        "section",
        done ? "complete" : "waits",
        make("h4", "", make("span", "to", "→ ", make("code", "", part.name)), make("span", "state", done ? `✓ ${part.state}` : part.state)),
      );
      if (part.from === undefined) {
        section.append(make("div", "sum", this.figure(part.grid, "contribution")));
      } else {
        const each = part.sense === "each";
        const local = each ? `slopes ${part.slope}` : `local Jacobian ${part.slope}`;
        const seed = step.card === this.homeOfRoot() && this.at === 1;
        const sum = make("div", "sum", this.figure(part.from, seed ? "the seed (arrives)" : `${this.slope(step.of)} (arrives)`));
        sum.append(term(each ? "⊙" : "·", this.figure(part.jacobian, local)));
        sum.append(term("=", this.figure(part.grid, "contribution")));
        section.append(sum);
        if (part.rule) section.append(make("p", "rule", "rule ", make("code", "", part.rule), part.where && make("span", "", part.where)));
        if (each) section.append(make("p", "rule", "⊙: element by element, for the Jacobian is diagonal"));
        if (part.words) section.append(make("p", "rule", part.words));
        if (part.repeated) section.append(make("p", "rule", `${part.name} was repeated along ${part.repeated}, so its copies' gradients are summed.`));
      }
      if (part.before !== undefined) {
        section.append(
          make(
            "div",
            "sum",
            this.figure(part.before, `already in ${part.name}`),
            term("+", this.figure(part.grid, "contribution")),
            term("=", this.figure(part.sum, done ? `${this.slope(part.name)}, complete` : `${part.name} so far`)),
          ),
        );
      }
      return section;
    }

    // -- room and light --

    fit() {
      const room = this.root.clientWidth;
      if (!room || room === this.fitted) return;
      this.fitted = room;
      const narrow = room < NARROW;
      this.root.classList.toggle("narrow", narrow);
      const most = narrow ? room : Math.max(room * 0.5, room - 620);
      const wanted = (most - 24) / this.wide;
      const high = (narrow ? 0.46 * innerHeight : 640) / this.high;
      const scale = Math.max(0.85, Math.min(1.25, wanted), Math.min(1.6, wanted, high));
      const fitting = narrow && this.high * scale > 0.46 * innerHeight ? Math.min(scale, Math.max(1, high)) : scale;
      this.svg.style.width = `${this.wide * fitting}px`;
      this.svg.style.height = `${this.high * fitting}px`;
      this.root.style.setProperty("--graph", `${Math.min(most, this.wide * fitting + 24)}px`);
      this.root.style.setProperty("--high", `${this.high * fitting + 24}px`);
      this.root.style.setProperty("--room", `${this.explanation.clientWidth}px`);
      if (this.at >= 0) this.reveal();
    }

    watchTheme() {
      const look = () => {
        this.root.dataset.theme = luminance(this.host) < 0.5 ? "dark" : "light";
      };
      look();
      const observer = new MutationObserver(look);
      for (const element of [document.documentElement, document.body]) {
        observer.observe(element, { attributes: true, attributeFilter: ["class", "style", "data-theme", "data-jp-theme-light"] });
      }
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", look);
      this.look = look;
    }
  }

  // A sign and what follows it stay on one line.
  function term(character, what) {
    return make("div", "term", make("b", "sign", character), what);
  }

  const own = document.currentScript && document.currentScript.closest(".autodiff-player");
  for (const host of new Set([...(own ? [own] : []), ...document.querySelectorAll(".autodiff-player")])) {
    if (host.shadowRoot || !host.querySelector('script[type="application/json"]')) continue;
    try {
      host.player = new Player(host);
    } catch (error) {
      console.error("autodiff player:", error); // the picture and the list of steps stay
    }
  }
})();
