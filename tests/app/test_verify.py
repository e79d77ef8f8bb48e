"""What vouches for an image: sums that were kept, files beside it, signatures, and sums inside."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from bootkit.app.verbs import verify
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.verify import Verified, verify_images
from bootkit.errors import BootkitError
from bootkit.model.places import UNFINISHED_VERIFY
from bootkit.system.changes import apply_changes
from bootkit.system.signature import SignatureVerdict, check_signature
from bootkit.system.volume import Volume
from bootkit.system.volumes.folder import FolderVolume
from tests.app.conftest import LIVE_BOOT, MakeIso, small_iso

Gpg = Callable[..., bytes]
NAME = "A. Publisher <isos@example.org>"


@pytest.fixture(scope="module")
def iso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_iso(tmp_path_factory.mktemp("iso"), "x.iso")


@pytest.fixture
def beside(iso: Path, stick: Path) -> Path:
    """An image on the stick that was copied by hand."""
    folder = stick / "boot/iso"
    folder.mkdir(parents=True)
    return Path(shutil.copy(iso, folder))


@pytest.fixture(scope="module")
def gpg() -> Generator[Gpg]:
    """Gpg with a key pair of its own; gone afterwards, its agent too."""
    if shutil.which("gpg") is None or shutil.which("gpgv") is None:
        pytest.skip("needs gpg and gpgv")
    with tempfile.TemporaryDirectory(prefix="gpg") as home:  # a short path: the agent's socket lies there

        def call(*words: str | Path, stdin: bytes = b"") -> bytes:
            argv = [
                "gpg",
                "--homedir",
                home,
                "--batch",
                "--yes",
                "--passphrase",
                "",
                "--pinentry-mode",
                "loopback",
                *words,
            ]
            return subprocess.run(argv, input=stdin, check=True, capture_output=True).stdout

        call("--quick-gen-key", NAME, "ed25519", "sign", "never")
        yield call
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)


@pytest.fixture(scope="module")
def fingerprint(gpg: Gpg) -> str:
    return next(line.split(":")[9] for line in gpg("--with-colons", "-k").decode().splitlines() if line[:4] == "fpr:")


@pytest.fixture(params=["binary", "armoured"])
def keyring(request: pytest.FixtureRequest, gpg: Gpg, tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_bytes(gpg("--export", *(["--armor"] if request.param == "armoured" else [])))
    return path


def digest_of(path: Path, algorithm: str) -> str:
    return hashlib.new(algorithm, path.read_bytes()).hexdigest()


def only(volume: Volume, *keyrings: Path) -> Verified:
    (answer,) = verify_images(volume, [], keyrings=keyrings)
    return answer


def words(answer: Verified) -> list[str]:
    return [finding.words for finding in answer.findings]


@pytest.mark.parametrize(
    ("name", "algorithm", "line"),
    [
        ("SHA256SUMS", "sha256", "{0}  x.iso\n"),
        ("SHA512SUMS", "sha512", "{0} *x.iso\n"),
        ("MD5SUMS", "md5", "{0}  ./x.iso\n"),
        ("B2SUMS", "blake2b", "{0}  x.iso\n"),
        ("Fedora-Workstation-42-1.1-x86_64-CHECKSUM", "sha256", "# x.iso: 1 bytes\nSHA256 (x.iso) = {0}\n"),
        ("CHECKSUM", "blake2b", "BLAKE2b (x.iso) = {0}\n"),
        ("x.iso.sha256", "sha256", "{0}\n"),
        ("x.iso.sha512", "sha512", "{0}  x.iso\n"),
        ("x.iso.md5", "md5", "{0}\n"),
        ("x.iso.b2", "blake2b", "{0}  x.iso\n"),
        ("x.iso.sha1.txt", "sha1", "SHA1(x.iso)= {0}\n"),
        ("sha384sum.txt", "sha384", "{0}  x.iso\n"),
    ],
)
def test_a_checksum_file_of_any_kind_vouches_or_is_told_to_be_wrong(
    volume: Volume, beside: Path, name: str, algorithm: str, line: str
) -> None:
    digest = digest_of(beside, algorithm)
    beside.with_name(name).write_text(line.format(digest))
    assert (only(volume).verdict, words(only(volume))) == ("good", [f"{name}: good"])
    wrong = digest.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    beside.with_name(name).write_text(line.format(wrong))
    assert (only(volume).verdict, words(only(volume))) == (
        "doubtful",
        [f"{name}: wrong, the image has another {algorithm.upper()}"],
    )
    beside.with_name(name).write_text(line.format(digest[:-3]))
    assert only(volume).verdict == "doubtful"
    assert f"{len(digest) - 3} digits are no digest" in words(only(volume))[0]


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", bytes(range(256)) * 10, b"x" * (2 << 20)])
def test_a_checksum_file_that_nobody_understands_is_not_passed_over(
    volume: Volume, beside: Path, content: bytes, tmp_path: Path, iso: Path
) -> None:
    beside.with_name("x.iso.sha256").write_bytes(content)
    answer = only(volume)
    assert answer.verdict == "doubtful"
    assert words(answer)[0].startswith("x.iso.sha256: unreadable, ")
    source = Path(shutil.copy(iso, tmp_path / "x.iso"))
    source.with_name("x.iso.sha256").write_bytes(content)
    with pytest.raises(BootkitError, match=r"x\.iso\.sha256, which is about x\.iso") as caught:
        plan_additions(volume, [source], folder="other")
    assert caught.value.hint


def test_lists_about_other_images_say_nothing(volume: Volume, beside: Path) -> None:
    beside.with_name("SHA256SUMS").write_text(f"{'ab' * 32}  other.iso\n")
    assert (only(volume).verdict, words(only(volume))) == ("unknown", [])


def test_where_there_is_no_gpgv_sqv_is_asked(
    gpg: Gpg, keyring: Path, fingerprint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("sqv") is None:
        pytest.skip("needs sqv")

    def without_gpgv(program: str) -> str | None:
        return None if program == "gpgv" else shutil.which(program)

    monkeypatch.setattr("bootkit.system.signature.which", without_gpgv)
    signature = gpg("--detach-sign", "--output", "-", stdin=b"content")
    good = check_signature(signature, [b"con", b"tent"], [keyring])
    assert (good.verdict, good.key) == (SignatureVerdict.GOOD, fingerprint)
    assert check_signature(signature, [b"other"], [keyring]).verdict is SignatureVerdict.WRONG
    assert check_signature(signature, [b"content"], []).verdict is SignatureVerdict.UNKNOWN


@pytest.mark.parametrize("suffix", [".asc", ".sig", ".gpg", ".sign"])
def test_a_detached_signature_of_a_list_is_told_with_key_and_name(
    volume: Volume, beside: Path, gpg: Gpg, keyring: Path, fingerprint: str, suffix: str
) -> None:
    sums = beside.with_name("SHA256SUMS")
    sums.write_text(f"{digest_of(beside, 'sha256')}  x.iso\n")
    armour = ["--armor"] if suffix in (".asc", ".sign") else []
    signature = beside.with_name(f"SHA256SUMS{suffix}")
    signature.write_bytes(gpg("--detach-sign", *armour, "--output", "-", sums))
    answer = only(volume, keyring)
    assert answer.verdict == "good"
    assert words(answer) == ["SHA256SUMS: good", f"{signature.name}: good, signed by {NAME} ({fingerprint})"]
    assert f"signed by key {fingerprint}, which is in no keyring" in words(only(volume))[1]
    sums.write_text(f"{digest_of(beside, 'sha256')}  x.iso\n\n")
    answer = only(volume, keyring)
    assert (answer.verdict, words(answer)[1].partition(",")[0]) == ("doubtful", f"{signature.name}: wrong")


def test_a_list_that_is_signed_in_clear_counts_inside_of_the_signed_text_only(
    volume: Volume, beside: Path, gpg: Gpg, keyring: Path, fingerprint: str
) -> None:
    line = f"SHA256 (x.iso) = {digest_of(beside, 'sha256')}\n"
    signed = gpg("--clear-sign", stdin=line.encode()).decode()
    sums = beside.with_name("Fedora-42-CHECKSUM")
    sums.write_text(signed)
    found = words(only(volume, keyring))
    assert found == [f"{sums.name}: good", f"{sums.name}: good, signed by {NAME} ({fingerprint})"]
    other = gpg("--clear-sign", stdin=f"SHA256 (y.iso) = {'ab' * 32}\n".encode()).decode()
    sums.write_text(f"{line}{other}")
    assert words(only(volume, keyring)) == []
    sums.write_text(signed.replace("SHA256 (x.iso)", "SHA256 (x.iso)\n").replace("= ", "x"))
    assert only(volume, keyring).verdict == "doubtful"


def test_a_signature_of_the_image_itself(
    volume: Volume, beside: Path, gpg: Gpg, keyring: Path, fingerprint: str
) -> None:
    beside.with_name("x.iso.sig").write_bytes(gpg("--detach-sign", "--output", "-", beside))
    answer = only(volume, keyring)
    assert (answer.verdict, words(answer)) == ("good", [f"x.iso.sig: good, signed by {NAME} ({fingerprint})"])
    with beside.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"!")
    answer = only(volume, keyring)
    assert answer.verdict == "doubtful"
    assert "x.iso.sig: wrong" in words(answer)[0]


def test_add_refuses_an_image_whose_list_has_a_wrong_signature(
    volume: Volume, iso: Path, gpg: Gpg, keyring: Path, tmp_path: Path
) -> None:
    source = Path(shutil.copy(iso, tmp_path / "x.iso"))
    sums = source.with_name("SHA256SUMS")
    sums.write_text(f"{digest_of(source, 'sha256')}  x.iso\n")
    source.with_name("SHA256SUMS.gpg").write_bytes(gpg("--detach-sign", "--output", "-", sums))
    (addition,) = plan_additions(volume, [source], keyrings=[keyring])
    assert addition.checked_with == "SHA256SUMS, SHA256SUMS.gpg"
    sums.write_text(sums.read_text() + "\n")
    with pytest.raises(BootkitError, match=r"x\.iso does not agree with SHA256SUMS\.gpg"):
        plan_additions(volume, [source], keyrings=[keyring])


@pytest.mark.skipif(shutil.which("implantisomd5") is None, reason="needs isomd5sum")
def test_an_implanted_md5_vouches_for_an_image(volume: Volume, beside: Path) -> None:
    with beside.open("ab") as file:
        file.truncate(beside.stat().st_size + 300 * 2048)
    subprocess.run(["implantisomd5", "--force", beside], check=True, capture_output=True)
    assert (only(volume).verdict, words(only(volume))) == ("good", ["implanted MD5: good"])
    with beside.open("r+b") as file:
        file.seek(40 * 2048)
        file.write(b"damage")
    assert (only(volume).verdict, words(only(volume))) == ("damaged", ["implanted MD5: wrong"])


def test_the_md5_of_the_files_inside_is_asked_where_nothing_better_is_known(
    volume: Volume, stick: Path, make_iso: MakeIso
) -> None:
    def with_list(files: Mapping[str, str]) -> Mapping[str, str]:
        lines = (f"{hashlib.md5(text.encode()).hexdigest()}  ./{path}" for path, text in files.items())
        return {**LIVE_BOOT, "md5sum.txt": "\n".join(lines)}

    (stick / "boot/iso").mkdir(parents=True)
    good = shutil.copy(make_iso("a.iso", with_list(LIVE_BOOT)), stick / "boot/iso")
    assert (only(volume).verdict, words(only(volume))) == ("good", ["md5sum.txt: good, all of its 5 files"])
    Path(good).unlink()
    shutil.copy(make_iso("b.iso", with_list({**LIVE_BOOT, "live/vmlinuz": "other", "gone": ""})), stick / "boot/iso")
    found = words(only(volume))
    assert only(volume).verdict == "damaged"
    assert found == ["md5sum.txt: wrong, of 6 files 2 differ: /live/vmlinuz, /gone"]


def test_the_same_size_and_time_with_another_content_is_noticed(volume: Volume, iso: Path, stick: Path) -> None:
    add_images(volume, plan_additions(volume, [iso]))
    image = stick / "boot/iso/x.iso"
    before = image.stat()
    with image.open("r+b") as file:
        file.seek(100_000)
        file.write(b"!")
    import os

    os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert only(volume).verdict == "damaged"


def test_a_look_that_was_interrupted_goes_on(
    volume: Volume, stick: Path, iso: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stick / "boot/iso").mkdir(parents=True)
    for name in ("a.iso", "b.iso", "c.iso"):
        shutil.copy(iso, stick / f"boot/iso/{name}")
    apply_changes(plan_generation(volume).plan, volume)
    looked: list[str] = []
    look = verify._look  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]  # where a kill may come

    def interrupted(*args: object) -> Verified:
        looked.append(args[1].name)  # type: ignore[attr-defined] # pyright: ignore
        if looked == ["a.iso", "b.iso"]:
            raise KeyboardInterrupt
        return look(*args)  # type: ignore[arg-type] # pyright: ignore

    monkeypatch.setattr(verify, "_look", interrupted)
    with pytest.raises(KeyboardInterrupt):
        verify_images(volume, [])
    answers = verify_images(volume, [])
    assert looked == ["a.iso", "b.iso", "b.iso", "c.iso"]
    assert [answer.earlier for answer in answers] == [True, False, False]
    assert volume.stat(UNFINISHED_VERIFY) is None


def test_a_stick_that_cannot_be_written_is_verified_as_well(
    volume: Volume, beside: Path, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_changes(plan_generation(volume).plan, volume)

    def refuse(*_args: object, **_options: object) -> None:
        raise BootkitError("read-only")

    monkeypatch.setattr(verify, "apply_changes", refuse)
    with closing(FolderVolume(stick)) as again:
        assert only(again).sha256 == digest_of(beside, "sha256")
