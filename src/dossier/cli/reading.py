"""`find`, `show`, `history`, `export`: what a caller may see, and on record. Floor: cli."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sized
from typing import TYPE_CHECKING, Any, Final

import click

import dossier as ds
from dossier.cli.options import ARCHIVE, JSON, LANG, Acting, Opening, acting, kind_of, reading
from dossier.cli.output import block, columns, document, line
from dossier.cli.reasons import reason
from dossier.errors import InputError, Lang, NotFoundError

if TYPE_CHECKING:
    from dossier.desk.finding import Condition
    from dossier.desk.records import RecordView

_WHERE_HELP = "A condition, such as 'basic/addresses/region = 华东 and not kind = person'."
WHERE: Final = click.option("--where", default=None, metavar="CONDITION", help=_WHERE_HELP)
ORDER: Final = click.option(
    "--order", default=None, metavar="FIELD", help="Order by a field; -FIELD descends, as in -transaction_status/total."
)
LIMIT: Final = click.option("--limit", type=int, default=50, show_default=True, help="Rows of a page (1..1000).")
AFTER: Final = click.option("--after", default=None, metavar="CURSOR", help="The page behind this one.")


@click.command()
@ARCHIVE
@click.argument("text", required=False)
@WHERE
@ORDER
@LIMIT
@AFTER
@acting
@reading
@LANG
@JSON
def find(
    archive: str, text: str | None, where: str | None, order: str | None, limit: int, after: str | None, who: Acting,
    opening: Opening, lang: Lang, as_json: bool,
) -> None:  # fmt: skip
    """Find customers by part of a name, by conditions, or both.

    A condition on a field that the role may not read is refused, never dropped.
    """
    from dossier.cli.documents import head

    condition = condition_of(where)
    with opening.archive(archive, lang=lang) as opened:
        hits = who.at(opened).find(name=text, where=condition, order=order, limit=limit, after=after)
        if as_json:
            document({"hits": [head(hit) for hit in hits], "cursor": hits.cursor})
            return
        zh = lang == "zh"
        heads = ("编号", "名称", "类别", "阶段", "交易金额") if zh else ("number", "name", "kind", "stage", "total")
        columns([heads, *(_row(hit, lang) for hit in hits)])
        _none(hits, lang)
        _next(hits.cursor, lang)


@click.command()
@ARCHIVE
@click.argument("number")
@click.option("--records", metavar="KIND", default=None, help="The records of a kind instead (order, visit, …; all).")
@LIMIT
@AFTER
@acting
@reading
@LANG
@JSON
def show(
    archive: str, number: str, records: str | None, limit: int, after: str | None, who: Acting, opening: Opening,
    lang: Lang, as_json: bool,
) -> None:  # fmt: skip
    """Show a customer's card, or a page of records.

    NUMBER is the registration number. With --json the whole file, marks for what is withheld.
    """
    with opening.archive(archive, lang=lang) as opened:
        desk = who.at(opened)
        if records is None and not as_json:
            block(desk.card(number, lang=lang))
            return
        wanted = kind_of(opened, records, every=True)
        view = desk.consult(number)
        page = view.records(wanted, limit=limit, after=after) if records is not None else None
        if as_json:
            from dossier.cli.documents import record, whole

            found = {"rows": [record(each) for each in page], "cursor": page.cursor} if page is not None else None
            document({"dossier": whole(view), "records": found})
        elif page is not None:
            zh = lang == "zh"
            heads = ("种类", "日期", "单号", "金额", "状态") if zh else ("kind", "day", "reference", "amount", "state")
            columns([heads, *(_dealing(each, lang) for each in page)])
            _none(page, lang)
            _next(page.cursor, lang)


@click.command()
@ARCHIVE
@click.argument("number")
@click.option("--on", default=None, metavar="DAY", help="The file as it was valid on this day.")
@click.option("--known", default=None, metavar="WHEN", help="As it was known: a day, an instant or a revision.")
@acting
@reading
@LANG
@JSON
def history(
    archive: str, number: str, on: str | None, known: str | None, who: Acting, opening: Opening, lang: Lang,
    as_json: bool,
) -> None:  # fmt: skip
    """Show what was said of a customer, when and by whom.

    Times are those of the archive's zone, days of --on and --known too. With --on or --known the card as it was stands
    below.
    """
    moment = int(known) if known is not None and known.isascii() and known.isdigit() and len(known) < 9 else known
    with opening.archive(archive, lang=lang) as opened:
        acts, view = _past(who.at(opened), number, on, moment)
        if as_json:
            from dossier.cli.documents import act, whole

            document({"acts": [act(each) for each in acts], "dossier": whole(view) if view is not None else None})
            return
        zh = lang == "zh"
        zone = opened.manifest.zone
        heads = ("修订", f"时间 ({zone})", "谁", "动作", "渠道", "涉及")
        if not zh:
            heads = ("rev", f"at ({zone})", "by", "verb", "channel", "about")
        columns([heads, *(_act(each, opened.zone) for each in acts)])
        if view is not None:
            from dossier.present import card_text

            line()
            block(card_text(view, (), lambda key: opened.registry.spec(key, view.kind), lang=lang))


def condition_of(where: str | None) -> Condition | None:
    """The condition of `--where`, its values typed by their fields."""
    if where is None:
        return None
    from dossier.cli.where import parse, typed

    return typed(parse(where))


def _row(hit: ds.DossierView, lang: Lang) -> tuple[str, ...]:
    total = hit.transaction_status.total
    from dossier.model.labels import KINDS, STAGES, code_text

    kind, stage = code_text(KINDS, hit.kind, lang), code_text(STAGES, hit.stage, lang)
    return (hit.number, _text(hit.basic.name, lang), kind, stage, _text(total, lang))


def _dealing(found: RecordView, lang: Lang) -> tuple[str, ...]:
    from dossier.model.labels import STATES, code_text

    content = found.content
    values = (_text(getattr(content, name, None), lang) for name in ("at", "ref", "amount"))
    return (found.kind, *values, code_text(STATES, found.state, lang))


def _past(desk: ds.Desk, number: str, on: str | None, known: int | str | None) -> tuple[list[ds.Act], Any]:
    """The acts on a file and, where a time is given, its view as it was. Whoever may consult it is told when nothing
    was known of it then."""
    try:
        told = desk.history(number, on=on, known=known)
        return list(told), told.view if on is not None or known is not None else None
    except NotFoundError:
        if known is None:
            raise
    desk.consult(number)
    raise InputError([reason("cli.then", "--known")])


def _act(act: ds.Act, zone: dt.tzinfo) -> tuple[str, ...]:
    channels = ", ".join(dict.fromkeys(said.channel for said in act.said))
    about = ", ".join(dict.fromkeys(said.path.partition("[")[0].partition("{")[0] for said in act.said))
    at = dt.datetime.fromisoformat(act.at).astimezone(zone).strftime("%Y-%m-%d %H:%M")
    return (str(act.revision), at, act.by, act.verb, channels, about)


def _text(value: Any, lang: Lang) -> str:
    """A value, or what stands for it, as a person reads it."""
    if value is None:
        return ""
    show = getattr(value, "text", None)
    return str(show(lang)) if callable(show) else ds.reveal(value)


def _none(found: Sized, lang: Lang) -> None:
    if not len(found):
        line("没有符合的" if lang == "zh" else "none found")


def _next(cursor: str | None, lang: Lang) -> None:
    if cursor is not None:
        line()
        line(f"{'下一页' if lang == 'zh' else 'next page'}: --after {cursor}")


__all__ = ["condition_of", "find", "history", "show"]
