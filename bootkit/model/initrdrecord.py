"""InitrdFacts, RootFacts and KernelFacts as JSON; what has its default is left out."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, cast

from bootkit.model.efi import EfiFacts, EfiSignature, ShimFacts
from bootkit.model.fields import Json, json_list, json_number, json_object, json_string, refuse_unknown
from bootkit.model.initrd import InitrdFacts, InitrdSegment, KernelModules, RootFacts
from bootkit.model.kernel import KernelFacts, Uki


def initrd_to_json(facts: InitrdFacts) -> Json:
    """A value for ``json.dumps``; :func:`initrd_from_json` gives ``facts`` back."""
    return _row(facts)


def root_to_json(facts: RootFacts) -> Json:
    """A value for ``json.dumps``; :func:`root_from_json` gives ``facts`` back."""
    return _row(facts)


def kernel_to_json(facts: KernelFacts) -> Json:
    """A value for ``json.dumps``; :func:`kernel_from_json` gives ``facts`` back."""
    return _row(facts)


def initrd_from_json(value: object, where: str) -> InitrdFacts:
    """What :func:`initrd_to_json` wrote.

    Raises:
        FormatError: it is something else.
    """
    record = _record(value, InitrdFacts, where)
    allowed = record.get("allowed")
    return InitrdFacts(
        size=json_number(record.get("size"), f"{where}.size"),
        segments=json_list(record.get("segments", []), f"{where}.segments", _segment),
        unpacked=json_number(record.get("unpacked", 0), f"{where}.unpacked"),
        maker=json_string(record.get("maker", ""), f"{where}.maker"),
        maker_version=json_string(record.get("maker_version", ""), f"{where}.maker_version"),
        markers=_strings(record, "markers", where),
        kernels=_strings(record, "kernels", where),
        drivers=_modules(record.get("drivers", {}), f"{where}.drivers"),
        programs=_strings(record, "programs", where),
        allowed=None if allowed is None else _strings(record, "allowed", where),
        links=_texts(record, "links", where),
        warnings=_strings(record, "warnings", where),
    )


def root_from_json(value: object, where: str) -> RootFacts:
    """What :func:`root_to_json` wrote.

    Raises:
        FormatError: it is something else.
    """
    record = _record(value, RootFacts, where)
    kernels = json_object(record.get("kernels", {}), f"{where}.kernels")
    texts = {
        key: json_string(record.get(key, ""), f"{where}.{key}")
        for key in ("filesystem", "compression", "inner", "os_release")
    }
    return RootFacts(
        size=json_number(record.get("size"), f"{where}.size"),
        filesystem=texts["filesystem"],
        compression=texts["compression"],
        inner=texts["inner"],
        os_release=texts["os_release"],
        kernels={version: _modules(modules, f"{where}.kernels[{version!r}]") for version, modules in kernels.items()},
        warnings=_strings(record, "warnings", where),
    )


def kernel_from_json(value: object, where: str) -> KernelFacts:
    """What :func:`kernel_to_json` wrote.

    Raises:
        FormatError: it is something else.
    """
    record = _record(value, KernelFacts, where)
    signed = record.get("signed")
    return KernelFacts(
        size=json_number(record.get("size"), f"{where}.size"),
        cpu=json_string(record.get("cpu", ""), f"{where}.cpu"),
        signed=signed if isinstance(signed, bool) else None,
        signers=_strings(record, "signers", where),
        run_size=json_number(record.get("run_size", 0), f"{where}.run_size"),
        initrd_limit=json_number(record.get("initrd_limit", 0), f"{where}.initrd_limit"),
        cmdline_limit=json_number(record.get("cmdline_limit", 0), f"{where}.cmdline_limit"),
        efi32=record.get("efi32") is True,
        uki=None if record.get("uki") is None else _uki(record["uki"], f"{where}.uki"),
        efi=None if record.get("efi") is None else efi_from_json(record["efi"], f"{where}.efi"),
        loader=json_string(record.get("loader", ""), f"{where}.loader"),
    )


def efi_to_json(facts: EfiFacts) -> Json:
    """A value for ``json.dumps``; :func:`efi_from_json` gives ``facts`` back."""
    return _row(facts)


def efi_from_json(value: object, where: str) -> EfiFacts:
    """What :func:`efi_to_json` wrote.

    Raises:
        FormatError: it is something else.
    """
    record = _record(value, EfiFacts, where)
    return EfiFacts(
        digest=json_string(record.get("digest"), f"{where}.digest"),
        signatures=json_list(record.get("signatures", []), f"{where}.signatures", _signature),
        sbat=json_string(record.get("sbat", ""), f"{where}.sbat"),
        shim=None if record.get("shim") is None else _shim(record["shim"], f"{where}.shim"),
        grub_modules=_strings(record, "grub_modules", where),
    )


def _signature(value: object, where: str) -> EfiSignature:
    record = _record(value, EfiSignature, where)
    return EfiSignature(fits=record.get("fits") is True, chain=_strings(record, "chain", where))


def _shim(value: object, where: str) -> ShimFacts:
    record = _record(value, ShimFacts, where)
    return ShimFacts(
        trusts=_strings(record, "trusts", where),
        revokes=_strings(record, "revokes", where),
        revoked_certificates=_strings(record, "revoked_certificates", where),
        sbat_level=json_string(record.get("sbat_level", ""), f"{where}.sbat_level"),
    )


def _uki(value: object, where: str) -> Uki:
    record = _record(value, Uki, where)
    return Uki(
        cmdline=json_string(record.get("cmdline", ""), f"{where}.cmdline"),
        os_release=json_string(record.get("os_release", ""), f"{where}.os_release"),
        uname=json_string(record.get("uname", ""), f"{where}.uname"),
        initrd=json_number(record.get("initrd", 0), f"{where}.initrd"),
    )


_Row = InitrdFacts | RootFacts | KernelFacts | InitrdSegment | KernelModules | Uki | EfiFacts | EfiSignature | ShimFacts


def _row(value: _Row) -> Json:
    pairs = ((field, getattr(value, field.name)) for field in fields(value))
    return {field.name: _json(item) for field, item in pairs if item != _default(field)}


def _default(field: Field[object]) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _json(value: object) -> Json:
    match value:
        case InitrdSegment() | KernelModules() | Uki() | EfiFacts() | EfiSignature() | ShimFacts():
            return _row(value)
        case tuple():
            return [_json(item) for item in cast("tuple[object, ...]", value)]
        case dict():
            return {key: _json(item) for key, item in cast("dict[str, object]", value).items()}
        case _:
            assert value is None or isinstance(value, (int, str))
            return value


def _record(value: object, kind: type[Any], where: str) -> dict[str, object]:
    record = json_object(value, where)
    refuse_unknown(record, {field.name for field in fields(kind)}, where)
    return record


def _segment(value: object, where: str) -> InitrdSegment:
    record = _record(value, InitrdSegment, where)
    return InitrdSegment(
        offset=json_number(record.get("offset"), f"{where}.offset"),
        size=json_number(record.get("size"), f"{where}.size"),
        compression=json_string(record.get("compression"), f"{where}.compression"),
        members=json_number(record.get("members"), f"{where}.members"),
    )


def _modules(value: object, where: str) -> KernelModules:
    record = _record(value, KernelModules, where)
    return KernelModules(
        modules=_strings(record, "modules", where),
        builtin=None if record.get("builtin") is None else _strings(record, "builtin", where),
        depends=_lists(record, "depends", where),
        aliases=_texts(record, "aliases", where),
        charsets=_texts(record, "charsets", where),
        unpacks=_lists(record, "unpacks", where),
        softdeps=_lists(record, "softdeps", where),
        displays=None if record.get("displays") is None else _strings(record, "displays", where),
        paths=_texts(record, "paths", where),
    )


def _strings(record: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
    return json_list(record.get(key, []), f"{where}.{key}", json_string)


def _lists(record: Mapping[str, object], key: str, where: str) -> dict[str, tuple[str, ...]]:
    found = json_object(record.get(key, {}), f"{where}.{key}")
    return {name: json_list(item, f"{where}.{key}[{name!r}]", json_string) for name, item in found.items()}


def _texts(record: Mapping[str, object], key: str, where: str) -> dict[str, str]:
    found = json_object(record.get(key, {}), f"{where}.{key}")
    return {name: json_string(item, f"{where}.{key}[{name!r}]") for name, item in found.items()}
