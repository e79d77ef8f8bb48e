import pytest

from bootkit.plan.names import NAME_LIMIT, bad_folder, better_folder, better_name, better_path, name_problem


@pytest.mark.parametrize("path", ["/boot/iso/debian-12.5.0-amd64_x.iso", "/boot/iso/rescue/a+b~1@2.iso"])
def test_ordinary_names_have_no_problem(path: str) -> None:
    assert name_problem(path) is None


@pytest.mark.parametrize(
    "name",
    ["a b.iso", "a:b.iso", "a=b.iso", 'a"b.iso', "a'b.iso", "a\\b.iso", "a$b.iso", "a*.iso", "a?.iso", "a,b.iso", "(1).iso",
     "[x].iso", "a&b.iso", "a;b.iso", "a|b.iso", "a`b.iso", "a\nb.iso", "é.iso", "日本.iso", "-rf.iso", ".hidden.iso", "A.ISO",
     "a" * 300 + ".iso"],
)  # fmt: skip
def test_a_name_that_an_initrd_cannot_take_has_a_problem_and_a_better_one(name: str) -> None:
    assert name_problem(f"/boot/iso/{name}")
    assert name_problem(f"/boot/iso/{better_name(name)}") is None


def test_the_better_name_stays_near() -> None:
    assert better_name("Ubuntu 24.04 (copy).ISO") == "Ubuntu-24.04-copy.iso"
    assert better_name("Féd ora \N{EN DASH} KDE.iso") == "Fed-ora-KDE.iso"
    assert len(better_name("x" * 500 + ".iso")) <= NAME_LIMIT


def test_the_problem_is_named() -> None:
    assert name_problem("/boot/iso/a b.iso") == "its path has a blank, which boot systems do not cope with"


@pytest.mark.parametrize("path", ["/boot/iso/../../x.iso", "/boot/iso/./x.iso", "../x.iso"])
def test_a_path_that_leads_elsewhere_has_a_problem(path: str) -> None:
    assert name_problem(path)


def test_each_part_of_a_path_is_renamed_that_has_a_problem() -> None:
    assert better_path("/boot/iso/My Linux/a b.ISO") == ("/boot/iso/My-Linux/a-b.iso", 2)
    assert better_path("/boot/iso/a b/c d/x.iso") == ("/boot/iso/a-b/c-d/x.iso", 2)
    assert better_path("/boot/iso/plain/x.iso") == ("/boot/iso/plain/x.iso", 0)


def test_the_outermost_folder_with_a_problem_is_the_one_to_rename() -> None:
    assert bad_folder("/boot/iso/My Linux/a b") == "/boot/iso/My Linux"
    assert bad_folder("/boot/iso/plain") == ""
    assert better_folder("My Linux (old)") == "My-Linux-old"
