"""Hypothesis strategies for every public type, by subject.

Floor: testing. `rows` draws declarations, batches and queries of the repository contract; `dossier.testing.people`
names, numbers, codes and addresses as they are written; `told` changes, acts, records, actors, conditions; `archives`
dossiers with contradictions, linked dossiers, sections that nobody knows, and whole histories of desk calls.

    from dossier.testing.strategies import histories, play

    @given(histories())
    def test_mine(calls):
        with ds.create("memory:", zone="Asia/Shanghai") as archive:
            play(archive, calls)

Sections of a pack need no strategy: give its registry (`dossiers(registry)`), and they are drawn from their
declaration. `features` says what an example has in it, so that a test can ask for its share.
"""

from dossier.testing.people import (
    addresses,
    credit_codes,
    id_numbers,
    organization_names,
    person_names,
    phones,
    regions,
)
from dossier.testing.strategies.archives import (
    Call,
    Linked,
    Story,
    dossiers,
    features,
    histories,
    linked_dossiers,
    pack,
    play,
    tell,
)
from dossier.testing.strategies.rows import (
    FLAWS,
    IDS,
    INTS,
    LATER,
    MARKS,
    NAMES,
    SCOPES,
    TEXTS,
    Drawn,
    aged,
    bodies,
    collections,
    derived,
    field_values,
    guided_batches,
    ids,
    indexes,
    ints,
    plain,
    populations,
    queries,
    reindexings,
    scopes,
    search_texts,
    texts,
    values,
)
from dossier.testing.strategies.told import Act, Actor, actors, acts, changes, conditions, records

__all__ = [
    "FLAWS",
    "IDS",
    "INTS",
    "LATER",
    "MARKS",
    "NAMES",
    "SCOPES",
    "TEXTS",
    "Act",
    "Actor",
    "Call",
    "Drawn",
    "Linked",
    "Story",
    "actors",
    "acts",
    "addresses",
    "aged",
    "bodies",
    "changes",
    "collections",
    "conditions",
    "credit_codes",
    "derived",
    "dossiers",
    "features",
    "field_values",
    "guided_batches",
    "histories",
    "id_numbers",
    "ids",
    "indexes",
    "ints",
    "linked_dossiers",
    "organization_names",
    "pack",
    "person_names",
    "phones",
    "plain",
    "play",
    "populations",
    "queries",
    "records",
    "regions",
    "reindexings",
    "scopes",
    "search_texts",
    "tell",
    "texts",
    "values",
]
