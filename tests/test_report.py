"""Reports: the same parts as aligned text and as escaped HTML."""

import re

from autodiff.report import WIDTH, Heading, Report, Table, Verbatim, plain, report_html, report_text

HOSTILE = '</td><script>alert("1")</script>\x1b[31m\u202e'


class Fixed(Report):
    """A report of given parts."""

    def __init__(self, *parts):
        self.parts = parts

    def blocks(self):
        return self.parts


def test_the_columns_of_a_table_are_aligned_on_their_sides():
    table = Table(["name", "count", "note"], [["a", 1, "one"], ["long name", 1000, "x"]], "lrl")
    assert report_text([table]).splitlines() == [
        "  name       count  note",
        "  a              1  one",
        "  long name   1000  x",
    ]


def test_wide_and_combining_letters_are_counted_as_a_terminal_does():
    lines = report_text([Table(["", ""], [["層", 1], ["e\u0301", 2], ["ab", 3]])]).splitlines()
    assert lines == ["  層  1", "  e\u0301   2", "  ab  3"]


def test_paragraphs_are_wrapped_and_verbatim_lines_are_not():
    long = "word " * 60
    assert max(map(len, report_text([long]).splitlines())) <= WIDTH
    assert report_text([Verbatim("  a\n" + "b" * 200)]).splitlines() == ["    a", "  " + "b" * 200]


def test_a_report_is_its_text_wherever_it_is_shown():
    report = Fixed(Heading("Squares"), Table(["n", "n * n"], [[3, 9]]), "All.")
    assert str(report) == repr(report) == "Squares\n  n  n * n\n  3      9\nAll."


def test_hostile_words_are_harmless_in_text_and_html():
    parts = [Heading(HOSTILE), HOSTILE, Verbatim(HOSTILE), Table([HOSTILE], [[HOSTILE]])]
    text, html = report_text(parts), report_html(parts)
    assert "\x1b" not in text + html
    assert "\u202e" not in text + html
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(&quot;1&quot;)") == 5


def test_the_html_has_no_colours_that_a_dark_theme_would_swallow():
    html = report_html([Heading("a"), "b", Verbatim("c"), Table(["d"], [["e"]])])
    assert set(re.findall(r"color:(\w+)", html)) == {"inherit"}
    assert set(re.findall(r"<(\w+)", html)) == {"div", "h4", "p", "pre", "table", "tr", "th", "td"}


def test_text_is_cut_where_it_is_asked_to_be():
    assert plain("abcdef", 4) == "abc…"
    assert plain("a\nb") == "a\\nb"


def test_in_html_numbers_are_not_broken_and_an_indented_cell_stays_so():
    html = report_html([Table(["", "n"], [["  of which", "1.0e-08"]])])
    label, cell = html.index("  of which"), html.index("1.0e-08")
    assert "white-space:pre-wrap" in html[label - 90 : label]
    assert "white-space:nowrap" in html[cell - 90 : cell]
