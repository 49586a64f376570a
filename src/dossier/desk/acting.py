"""One act on one dossier: from parsed changes to claims, states, act rows and index values.

Floor: desk. An act touches a compartment at a time; each has its own row, scope and index terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from dossier.codec import Parsed, SectionRegistry
from dossier.codec.acts import ActHead, Mark
from dossier.codec.anatomy import anatomy, believes
from dossier.codec.documents import Document, named_leaves
from dossier.codec.shelf import Dumped
from dossier.codec.state import State
from dossier.codec.upgrade import upgrade
from dossier.desk.changes import Told, told_source
from dossier.desk.layout import Indexing, act_id, core_scope, head_index, special_scope
from dossier.desk.loaded import Loaded
from dossier.desk.parts import Keys, named
from dossier.desk.said import COMPARTMENTS, Said, twice
from dossier.errors import InputError, NewerSectionError, OlderSectionError, QuestionOpenError
from dossier.model.absence import Absence
from dossier.model.claims import Claim, Json, Source, pattern, section_of, under
from dossier.model.edits import Edit
from dossier.model.fields import Leaf, SectionSpec, Shape
from dossier.model.party import Stage
from dossier.model.problems import problem
from dossier.model.values.plain import canonical
from dossier.repository import Op, Put


@attrs.frozen
class Context:
    """What every act of an archive needs: registry, index plan, zone, minting of keys."""

    registry: SectionRegistry
    indexing: Indexing
    zone: Any
    random: Callable[[int], bytes]


class Acting:
    """Gathers what one act asserts and withdraws; `rows()` gives what is to be written."""

    def __init__(
        self, context: Context, loaded: Loaded, *, act: str, at: str, today: str, verb: str, actor: str, because: str
    ) -> None:
        self._context = context
        self.loaded = loaded
        self.rev = loaded.head.rev + 1
        self.head = ActHead(id=act, rev=self.rev, at=at, actor=actor, because=because, verb=verb)
        self.said = Said(self.head)
        self._today = today
        self._whole: dict[str, bool] = {"core": loaded.version == 0, "special": loaded.special_version == 0}
        self._touched: dict[SectionSpec, int] = {}
        self._keys = Keys(self.rev, context.random)
        self._passed: dict[SectionSpec, int] = {}
        self._renew(loaded.core)

    def elsewhere(self, loaded: Loaded, at: str) -> Acting:
        """The same act on another file of a linked set."""
        head = self.head
        return Acting(
            self._context, loaded, act=head.id, at=max(head.at, at), today=self._today, verb=head.verb,
            actor=head.actor, because=head.because,
        )  # fmt: skip

    def holds(self, path: str) -> bool:
        """Whether there is a live claim at or below a path."""
        return any(self.loaded.state(compartment).paths(path, self._kinds) for compartment in COMPARTMENTS)

    def _renew(self, state: State) -> None:
        """Let the fields show what is valid today, also those this act does not name."""
        if not state.until or state.until > self._today:
            return
        registry, kind = self._context.registry, self.loaded.head.kind
        paths: list[str] = []
        others = False
        for section in sorted({*state.raw, *map(section_of, (*state.rivals, *state.absent))}):
            spec = registry.find(section, kind)
            if spec is not None and tuple(self.loaded.head.versions.get(section, spec.version)) == spec.version:
                self._passed[spec] = 0
                known = [*state.paths(section, self._kinds)]
                paths.extend(path for path in known if pattern(path) in spec.bits)
            else:
                others = True
        state.renew(paths, lambda path: self._leaf(path)[0].ranking, self._today, others=others)

    # -- what is said -----------------------------------------------------------------------------

    def source(self, told: Told) -> Source:
        """The source of claims told in this way."""
        return told_source(told, act=self.head.id, rev=self.rev, at=self.head.at, zone=self._context.zone)

    def told_as(self, told: Told) -> None:
        """How the act itself was told, where it asserts nothing: who proved, disputed, merged, by what evidence."""
        self.said.told = self.source(told)

    def change(self, spec: SectionSpec, parsed: Parsed, source: Source) -> None:
        """Apply one parsed change."""
        self._writable(spec)
        for name in parsed.unset:
            self._withdraw(spec, f"{spec.key}/{name}")
        for name, edited in parsed.edits.items():
            self._edit(spec, name, edited, source)
        for name, reason in parsed.absent.items():
            self._absent(spec, f"{spec.key}/{name}", reason, source)
        if parsed.values:
            self._assert(spec, self._context.registry.codec(spec).document(parsed.values), source)

    def typed(self, spec: SectionSpec, dumped: Dumped, source: Source) -> None:
        """Apply a whole section that was checked and dumped already."""
        self._writable(spec)
        self._assert(spec, dumped.document(), source, dumped.raw)

    def withdraw(self, path: str) -> None:
        """End every claim at or below a path."""
        self._withdraw(self._spec(path), path)

    def retract(self, path: str, act: str, channel: str, live: Callable[[str, str], list[Any]]) -> None:
        """End one claim. `live(compartment, path)` gives all claims of the path from the acts."""
        leaf, state = self._leaf(path)
        self.said.retract(leaf.compartment, path, act, channel)
        self._touch(self._spec(path), path)
        kept = [c for c in live(leaf.compartment, path) if (c.source.act, c.source.channel) != (act, channel)]
        state.settle(path, kept, leaf.ranking, self._today)

    def mark(self, mark: Mark, bit: int, live: Callable[[str, str], list[Any]]) -> None:
        """Set a mark on one claim, or take it off."""
        leaf, state = self._leaf(mark.path)
        self.said.mark(leaf.compartment, mark)
        self._touch(self._spec(mark.path), mark.path)
        claims = [
            c._replace(marks=c.marks | bit if mark.on else c.marks & ~bit)
            if (c.source.act, c.source.channel) == (mark.act, mark.channel)
            else c
            for c in live(leaf.compartment, mark.path)
        ]
        state.settle(mark.path, claims, leaf.ranking, self._today)

    def move(self, *, stage: str = "", standing: str = "") -> None:
        """Change the stage or standing (M4, M6). InputError where the stage may not follow."""
        head = self.loaded.head
        if stage and stage != head.stage:
            if not Stage(head.stage).may_become(Stage(stage)):
                raise InputError([problem("party.stage", "stage", words=head.stage)])
            head.stage = self.said.moved["stage"] = stage
        if standing and standing != head.standing:
            head.standing = self.said.moved["standing"] = standing
        if self.said.moved:
            self.loaded.index.update(head_index(head))

    def hand_over(self, custodian: str, team: str) -> None:
        """Give the dossier to a custodian (an actor's id) and a team ("" none)."""
        head = self.loaded.head
        for name, value in (("custodian", custodian), ("team", team)):
            if value != getattr(head, name):
                setattr(head, name, value)
                self.said.moved[name] = value
                self.loaded.index.pop(name, None)
        self.loaded.index.update(head_index(head))

    def answer(self, path: str, same: str) -> None:
        """Settle a "same part?" question: `same` is the key of the part it is, or "" where it is another."""
        spec = self._spec(path)
        _, state = self._leaf(f"{path}/{next(iter(self._part_leaves(spec, path)))}")
        if path not in state.questions:
            raise InputError([problem("part.no_question", path)])
        del state.questions[path]
        self.said.answer(self._home(spec, path), path, same)
        self._touch(spec, path)
        if same:
            target = path[: path.rindex("[")] + f"[{same}]"
            for known in state.paths(path, self._kinds):
                leaf, _ = self._leaf(known)
                moved = target + known[len(path) :]
                live = state.claims(known)
                state.settle(known, [], leaf.ranking, self._today)
                state.settle(moved, [*state.claims(moved), *live], leaf.ranking, self._today)

    # -- inner steps ------------------------------------------------------------------------------

    def _assert(self, spec: SectionSpec, document: Document, source: Source, raw: bytes | None = None) -> None:
        """Claim every leaf of a document, which is the act's own; `raw` its canonical bytes, if they are at hand."""
        shape = anatomy(spec)
        keyed = [name for name in shape.items if name in document]
        for name in keyed:
            state = self.loaded.state(self._home(spec, f"{spec.key}/{name}"))
            document[name] = self._keys.settle(spec, name, document[name], state)
        special = {name: document.pop(name) for name in shape.special if name in document}
        if document:
            self._put(spec, "core", document, source, None if keyed or special else raw)
        if special:
            self._put(spec, "special", special, source)

    def _put(
        self, spec: SectionSpec, compartment: str, document: Document, source: Source, raw: bytes | None = None
    ) -> None:
        state = self.loaded.state(compartment)
        fresh = self._whole[compartment] and not state.has(spec.key)
        plain = not source.spans and believes(spec, source.channel)
        if fresh and plain and (state.default is None or state.default == source) and not self._disturbed(state, spec):
            state.begin(spec.key, document, raw)
            state.default = state.default or source
            masks = anatomy(spec).masks
            mask = self._touched.get(spec, 0)
            for name in document:
                mask |= masks[name]
            self._touched[spec] = mask
            return
        self._claim_all(spec, document, source)

    @staticmethod
    def _disturbed(state: State, spec: SectionSpec) -> bool:
        prefix = f"{spec.key}/"
        return any(path.startswith(prefix) for path in (*state.rivals, *state.absent))

    def _claim_all(self, spec: SectionSpec, document: Document, source: Source) -> None:
        shape, leaf, mask = anatomy(spec), spec.leaf, self._touched.get(spec, 0)
        for path, name, value in named_leaves(document, spec.key, shape.kinds):
            mask |= shape.reach[name]
            self._claim(path, leaf(name), value, source)
        self._touched[spec] = mask

    def _absent(self, spec: SectionSpec, path: str, reason: Absence, source: Source) -> None:
        self._touch(spec, path)
        self._claim(path, spec.leaf(pattern(path)), {"absent": reason.value}, source)

    def _claim(self, path: str, leaf: Leaf, value: Json, source: Source) -> None:
        if leaf.shape is Shape.COMPUTED:
            raise InputError([problem("field.computed", path)])
        compartment = leaf.compartment
        state = self.loaded.state(compartment)
        default, channel = state.default, source.channel
        # Of a whole section only the source was noted, not its paths.
        noted = default is not None and default.channel == channel and self._whole[compartment]
        if noted and any(claim.source.channel == channel for claim in state.claims(path)):
            raise twice(path)
        self.said.claim(compartment, path, source, value)
        state.claim(path, Claim(source, 0, value), leaf.ranking, self._today)

    def _withdraw(self, spec: SectionSpec, path: str) -> None:
        self._writable(spec)
        self.said.withdraw(path)
        for compartment in COMPARTMENTS:
            state = self.loaded.state(compartment)
            known = state.paths(path, self._kinds)
            for leaf_path in known:
                state.settle(leaf_path, [], spec.leaf(pattern(leaf_path)).ranking, self._today)
            for question in [q for q in state.questions if under(q, path)]:
                del state.questions[question]
            if known or compartment == self._home(spec, path):
                self.said.withdrawn(compartment, path)
        self._touch(spec, path)

    def _edit(self, spec: SectionSpec, name: str, edited: Edit, source: Source) -> None:
        path = f"{spec.key}/{name}"
        codec = self._context.registry.codec(spec)
        if edited.remove:
            for item in codec.document({name: edited.remove}).get(name, []):
                for target in named(spec, name, item, self.loaded.state(self._home(spec, path))):
                    self._withdraw(spec, target)
        for key, part in edited.change.items():
            self._change_part(spec, path, key, part, source)
        if edited.add:
            self._assert(spec, codec.document({name: edited.add}), source)

    def _change_part(self, spec: SectionSpec, path: str, key: str, part: Parsed, source: Source) -> None:
        prefix = f"{path}[{key}]"
        name = path.partition("/")[2]
        state = self.loaded.state(self._home(spec, path))
        if not state.paths(prefix, self._kinds):
            raise InputError([problem("part.unknown", path)])
        if prefix in state.questions:
            raise QuestionOpenError(path=prefix, part=prefix)
        said = dict(part.values)
        for inner, edited in part.edits.items():
            for item in edited.remove:
                self._withdraw(spec, f"{prefix}/{inner}" + _member(item))
            if edited.add:
                said[inner] = edited.add
        for inner in part.unset:
            self._withdraw(spec, f"{prefix}/{inner}")
        for inner, reason in part.absent.items():
            self._absent(spec, f"{prefix}/{inner}", reason, source)
        if said:
            made = spec.fields[name].type(key=key, **said)
            document = self._context.registry.codec(spec).document({name: (made,)})
            document[name] = self._keys.settle(spec, name, document[name], state)
            self._claim_all(spec, document, source)

    def _touch(self, spec: SectionSpec, path: str) -> None:
        self._touched[spec] = self._touched.get(spec, 0) | anatomy(spec).masks[_field(path.partition("/")[2])]

    def _writable(self, spec: SectionSpec) -> None:
        """An older section is brought up to date before it is changed; one that stays opaque refuses changes (K2)."""
        versions = self.loaded.head.versions
        stored = versions.get(spec.key)
        if stored is None or tuple(stored) == spec.version:
            return
        was, known = (f"{major}.{minor}" for major, minor in (stored, spec.version))
        said = {"section": spec.key, "stored": was, "known": known}
        status = self._context.registry.status(spec.key, spec.kind, (stored[0], stored[1]))
        if status == "opaque_newer":
            raise NewerSectionError(**said)
        if status == "unknown":
            raise OlderSectionError(**said)
        if status == "older":
            for compartment in COMPARTMENTS:
                state = self.loaded.state(compartment)
                upgrade(state, self._context.registry, self.loaded.head.kind, versions, only=spec.key)
            versions[spec.key] = spec.version

    def _home(self, spec: SectionSpec, path: str) -> str:
        return anatomy(spec).home(path)

    def _spec(self, path: str) -> SectionSpec:
        return self._context.registry.spec(section_of(path), self.loaded.head.kind)

    def _leaf(self, path: str) -> tuple[Leaf, State]:
        leaf = self._spec(path).leaf(pattern(path))
        return leaf, self.loaded.state(leaf.compartment)

    def _part_leaves(self, spec: SectionSpec, path: str) -> Iterable[str]:
        prefix = pattern(path + "/x").removesuffix("/x") + "/"
        return (leaf.pattern[len(prefix) :] for leaf in spec.leaves if leaf.pattern.startswith(prefix))

    def _kinds(self, section: str) -> Mapping[str, str]:
        return anatomy(self._context.registry.spec(section, self.loaded.head.kind)).kinds

    # -- what comes of it -------------------------------------------------------------------------

    @property
    def touched(self) -> Mapping[SectionSpec, int]:
        """The leaves of every field that this act names, as masks."""
        return self._touched

    @property
    def empty(self) -> bool:
        """Whether nothing at all was said."""
        return not (self._touched or self.said.moved)

    def rows(self) -> list[Op]:
        """The state rows and act rows of this act; `loaded` stands at the new version afterwards."""
        loaded = self.loaded
        special_touched = any(mask & anatomy(spec).apart for spec, mask in self._touched.items())
        if special_touched:
            self._renew(loaded.special)
        self._refill(special_touched)
        ops: list[Op] = []
        head = loaded.head
        for spec in self._touched:
            head.versions[spec.key] = max(head.versions.get(spec.key, (0, 0)), spec.version)
        head.rev, head.at = self.rev, self.head.at
        if special_touched:
            head.parts["special"] = self.rev
            loaded.special_body = loaded.special.encode()
            ops.append(
                Put("special", loaded.id, loaded.special_body, loaded.special_index, special_scope(loaded.id),
                    loaded.special_version)
            )  # fmt: skip
            ops.append(self._act_row("special", loaded.special_body))
            loaded.special_version += 1
        untils = [state.until for state in (loaded.core, loaded.special) if state.until]
        loaded.core.until = min(untils, default="")
        loaded.index.pop("until", None)
        if loaded.core.until:
            loaded.index["until"] = loaded.core.until
        loaded.body = loaded.core.encode()
        ops.append(Put("dossiers", loaded.id, loaded.body, loaded.index, core_scope(loaded.id), loaded.version))
        ops.append(self._act_row("core", loaded.body))
        loaded.version += 1
        return ops

    def _act_row(self, compartment: str, body: bytes) -> Put:
        core = compartment == "core"
        row_id = act_id(self.loaded.id, self.rev) + ("" if core else "~special")
        scope = core_scope(self.loaded.id) if core else special_scope(self.loaded.id)
        return Put("acts", row_id, self.said.body(compartment, body, whole=self._whole[compartment]), {}, scope, 0)

    def _refill(self, special: bool) -> None:
        """Index values of the sections that were touched, from what their fields now show."""
        loaded, indexing = self.loaded, self._context.indexing
        documents: dict[str, Document] = {}
        for spec in {**self._touched, **self._passed}:
            document = documents[spec.key] = loaded.core.look(spec.key)
            loaded.index.update(indexing.fill(spec, document, "core"))
            if special and anatomy(spec).special:
                loaded.special_index.update(indexing.fill(spec, loaded.special.look(spec.key), "special"))
        loaded.index.update(indexing.search(documents))
        loaded.index = {name: value for name, value in loaded.index.items() if value is not None}
        loaded.special_index = {name: value for name, value in loaded.special_index.items() if value is not None}


def _field(name: str) -> str:
    """The field of a path or pattern below a section."""
    return name.partition("/")[0].partition("[")[0].partition("{")[0]


def _member(item: Any) -> str:
    """How a member of a set or a keyed part is named below its field."""
    key = getattr(item, "key", "")
    return f"[{key}]" if key else "{" + canonical(item).decode() + "}"
