"""What the page shows is what the journal says, each verdict and each card once."""

from __future__ import annotations

import random
from dataclasses import replace

from ml_api_class.journal.records import Person, Standing
from ml_api_class.page.contents import Contents
from ml_api_class.page.proven import Figures, Proven
from ml_api_class.verdict import TaskVerdict
from tests.ml_api_class.page.class_of_two import SYLLABUS, check, standing, unpack


def first(points: int, said: str = "bye") -> TaskVerdict:
    message = "" if points == 10 else f"It printed {said!r}."
    return TaskVerdict("task_0_1", (check("task_0_1", "test_a", points, 10, message),))


def second(*passed: bool) -> TaskVerdict:
    names = ("test_b", "test_c")
    return TaskVerdict(
        "task_1_1",
        tuple(
            check("task_1_1", name, 5 * won, 5, "" if won else f"{name} saw nothing.")
            for name, won in zip(names, passed, strict=True)
        ),
    )


def contents(*standings: Standing, untouched: tuple[tuple[str, str], ...] = ()) -> Contents:
    return Contents(
        SYLLABUS, standings, lambda submission, task: (submission.id, task) in untouched
    )


CLASS = (
    standing("ada", first(10), second(True, True), person=Person("Ada", section="A")),
    standing("bob", first(0), second(True, False), person=Person("bob", section="B", is_late=True)),
    standing("cy", first(0, "ciao"), second(False, False), person=Person("Ćy")),
    standing("dee", reason="Nothing was handed in."),
)


def test_points_are_those_of_the_grades() -> None:
    table, cards = unpack(contents(*CLASS).pack())
    shown = [
        [-1 if number < 0 else table["verdicts"][number][0] for number in row]
        for row in table["grades"]
    ]
    assert shown == [[10, 10], [0, 5], [0, 0], [-1, -1]]
    students = table["students"]
    assert students["score"] == [20, 5, 0, 0]
    assert students["late"] == [0, 1, 0, 0]
    assert students["section"] == ["A", "B", "", ""]
    assert students["rank"] == [0, 1, 2, 3]
    assert students["reason"][3] == "Nothing was handed in."
    assert [each["number"] for each in table["tasks"]] == ["0.1", "1.1"]
    for number, standing_ in enumerate(CLASS):
        for verdict_number, verdict in zip(
            table["grades"][number], standing_.verdicts, strict=False
        ):
            ended = table["verdicts"][verdict_number][3]
            for (item, points, card), one in zip(ended, verdict.checks, strict=True):
                assert table["checks"][item]["title"] == one.title
                assert points == one.points
                assert ("" if card < 0 else cards[card]) == one.card


def test_groups_name_everybody_once_and_show_a_card() -> None:
    table, cards = unpack(contents(*CLASS).pack())
    groups = [
        (task, [table["checks"][item]["name"] for item in checks], points, steps, cards[card])
        for task, checks, points, _, card, steps in table["groups"]
    ]
    # Who: the distance of each from the one before.
    assert groups == [
        (0, ["test_a"], 10, [1, 1], "It printed 'bye'."),
        (1, ["test_c"], 5, [1, 1], "test_c saw nothing."),
        (1, ["test_b"], 5, [2], "test_b saw nothing."),
    ]


def test_what_nobody_has_touched_is_no_mistake_and_no_statistic() -> None:
    table, _ = unpack(contents(*CLASS, untouched=(("cy", "task_1_1"),)).pack())
    assert [table["verdicts"][row[1]][2] for row in table["grades"][:3]] == [0, 0, 1]
    named = [table["checks"][each[1][0]]["name"] for each in table["groups"]]
    assert named == ["test_a", "test_c"]
    by_name = {
        each["name"]: item for each, item in zip(table["checks"], table["items"], strict=True)
    }
    assert (by_name["test_b"]["began"], by_name["test_b"]["note"]) == (2, "nobody failed this")
    assert (by_name["test_a"]["began"], by_name["test_a"]["passed"]) == (3, 1)


def test_a_card_and_a_verdict_that_many_have_are_there_once() -> None:
    many = [standing(f"s{n}", first(0), second(True, True)) for n in range(500)]
    table, cards = unpack(contents(*many).pack())
    assert len(cards) == 1
    assert len(table["verdicts"]) == 2
    assert table["groups"][0][5] == [0] + [1] * 499


def test_cards_that_are_nearly_the_same_are_read_back_exactly() -> None:
    draw = random.Random(1)
    alphabet = "ab\n \U0001f600\u05d0é'"
    said = ["".join(draw.choices(alphabet, k=draw.randrange(40))) for _ in range(300)]
    standings = [
        standing(
            f"s{n}",
            TaskVerdict(
                "task_0_1",
                (
                    check(
                        "task_0_1",
                        "test_a",
                        0,
                        10,
                        "No.",
                        f"\U0001f600 It said {each}, so \U0001f601",
                    ),
                ),
            ),
        )
        for n, each in enumerate(said)
    ]
    table, cards = unpack(contents(*standings).pack())
    shown = [cards[table["verdicts"][row[0]][3][0][2]] for row in table["grades"]]
    assert shown == [each.verdicts[0].checks[0].card for each in standings]


def test_control_characters_of_names_and_cards_are_spelled_out() -> None:
    person = Person("\u202eada\x1b[2J")
    table, _ = unpack(contents(standing("a\x00", first(10), person=person)).pack())
    assert table["students"]["name"] == ["\\u202eada\\x1b[2J"]
    assert table["students"]["id"] == ["a\\x00"]


def test_a_class_without_any_grade_can_be_shown() -> None:
    table, cards = unpack(contents(standing("dee", reason="Nothing was handed in.")).pack())
    assert (table["tasks"], table["grades"], cards) == ([], [[]], [])


def test_what_is_proved_of_a_check_stands_beside_how_the_class_did() -> None:
    figures = {"test_b": Figures(4, 5.25, 3, 6, 9), "test_c": Figures(0, None, 0)}
    proven = Proven({"task_1_1": figures}, "Some of it is old.")
    made = Contents(SYLLABUS, CLASS, lambda *_: False, {}, proven)
    table, _ = unpack(made.pack())
    told = {
        check["name"]: [item[name] for name in ("cost", "mistakes", "killed", "mutants")]
        for check, item in zip(table["checks"], table["items"], strict=True)
    }
    assert told == {
        "test_a": [None, 0, None, None],
        "test_b": [5.25, 4, 6, 9],
        "test_c": [None, 0, None, None],
    }
    assert table["proven"] == "Some of it is old."


def test_attempts_are_those_of_who_passed_where_they_are_known() -> None:
    attempts = {"ada": 2, "bob": 5}
    made = Contents(SYLLABUS, CLASS, lambda *_: False, attempts)
    table, _ = unpack(made.pack())
    assert table["students"]["attempts"] == [2, 5, 0, 0]
    # Of the first check only ada has all points; nobody knows of cy, who passes nothing anyway.
    assert [each["attempts"] for each in table["items"]] == [2, 3.5, 2]


def test_a_failure_that_another_run_may_not_repeat_is_marked() -> None:
    sure, doubtful = second(False, True).checks
    verdict = TaskVerdict("task_1_1", (replace(sure, is_doubtful=True), doubtful))
    table, _ = unpack(contents(standing("ada", verdict)).pack())
    assert [ended[3:] for ended in table["verdicts"][0][3]] == [[1], []]
