r"""Which boot loaders go on a stick.

Sources: UEFI specification 2.10, 3.5.1.1 (removable media: the names in \EFI\BOOT); where signed GRUB images look for
their configuration was read from Debian 12 and 13, Fedora and openSUSE images and booted for Debian: the prefix is
compiled in (/EFI/debian), some look beside themselves. ``fbx64.efi`` and ``BOOTX64.CSV`` are left out on purpose: together
they write a boot entry into the machine's own NVRAM.
"""

from collections.abc import Iterator

from bootkit.errors import ToolMissing, UsageError
from bootkit.i18n import tr
from bootkit.model.boot import Firmware
from bootkit.model.filesystem import DataFs
from bootkit.model.places import EFI_FOLDER, STOP_FILE
from bootkit.model.plan import WriteFile
from bootkit.model.prepare import (
    BuildLoader,
    GrubPlatform,
    HostFile,
    HostLoaders,
    LoaderChoice,
    SignedLoader,
    TakeLoader,
)
from bootkit.plan.microsoft import MicrosoftCa, signed_by_microsoft
from bootkit.plan.modules import missing_modules, modules_for
from bootkit.values import dataclass

EFI_PLATFORMS = {
    Firmware.UEFI_X64: ("x86_64-efi", "x64"),
    Firmware.UEFI_IA32: ("i386-efi", "ia32"),
    Firmware.UEFI_ARM64: ("arm64-efi", "aa64"),
}
"""grub-mkimage's name for it, and the suffix of its files on removable media."""
BIOS_PLATFORM = "i386-pc"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderPlan:
    steps: tuple[TakeLoader | BuildLoader, ...]
    stubs: tuple[WriteFile, ...] = ()
    """Configurations that the signed images read, on the EFI system partition."""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def has_bios(self) -> bool:
        return any(step.firmware is Firmware.BIOS for step in self.steps)


def choose_loaders(host: HostLoaders, data_fs: DataFs, choice: LoaderChoice, stub: bytes) -> LoaderPlan:
    """Loaders for every firmware that the host can serve; ``stub`` finds the data partition.

    Raises:
        UsageError: signed loaders are asked for, and cannot be used.
        ToolMissing: the host has no loader at all.
    """
    _check_choice(host, data_fs, choice)
    steps: list[TakeLoader | BuildLoader] = []
    stubs: list[WriteFile] = []
    notes: list[str] = []
    warnings: list[str] = []
    for firmware in EFI_PLATFORMS:
        signed = _usable(host.signed_for(firmware), data_fs, choice)
        platform = host.platform(EFI_PLATFORMS[firmware][0])
        if signed is not None:
            steps += _take(signed)
            stubs += (file for file in _stubs(signed, stub) if file not in stubs)
            notes.append(f"{firmware.label}: signed by {signed.vendor or 'its vendor'}, starts with Secure Boot on")
            for authority, other in second_shims(host, signed, data_fs):
                folder = second_folder(authority)
                steps += _take(other, folder)
                stubs += (file for file in _stubs(other, stub) if file not in stubs)
                notes.append(
                    f"{firmware.label}: {folder} has a second shim, for computers that trust Microsoft's authority of "
                    f"{authority} alone: choose it in their firmware by 'boot from file'"
                )
        elif platform is not None and not missing_modules(platform):
            steps.append(_build(firmware, platform, stub))
            notes.append(f"{firmware.label}: built here, starts with Secure Boot off only")
    if not steps:
        warnings.append(
            "no UEFI: the host has neither signed loaders nor GRUB's EFI modules; 'bootkit doctor' names packages"
        )
    bios = host.platform(BIOS_PLATFORM)
    if bios is not None and not missing_modules(bios):
        steps.append(_build(Firmware.BIOS, bios, stub))
    else:
        warnings.append("no BIOS: the host lacks GRUB's i386-pc modules; 'bootkit doctor' names the package")
    if not steps:
        raise ToolMissing(tr("the host has no GRUB that a stick could start with"), hint="bootkit doctor")
    return LoaderPlan(steps=tuple(steps), stubs=tuple(stubs), notes=tuple(notes), warnings=tuple(warnings))


def second_folder(authority: MicrosoftCa) -> str:
    """Where the shim lies that this authority has signed, where the one that starts by itself is not signed by it."""
    return f"/EFI/ms{authority}"


def second_shims(
    host: HostLoaders, first: SignedLoader, data_fs: DataFs | None = None
) -> Iterator[tuple[MicrosoftCa, SignedLoader]]:
    """For each of Microsoft's authorities that has not signed the shim of ``first``, another one at hand that it has signed."""
    signed = _authorities(first)
    for authority in MicrosoftCa if signed else ():
        others = (
            other
            for other in host.signed
            if other.firmware is first.firmware
            and authority in _authorities(other)
            and (data_fs is None or data_fs.system.has_signed_grub(other.vendor))
        )
        if authority not in signed and (found := next(others, None)):
            yield authority, found


def _authorities(loader: SignedLoader) -> tuple[MicrosoftCa, ...]:
    return signed_by_microsoft(loader.shim_facts) if loader.shim_facts is not None else ()


def _check_choice(host: HostLoaders, data_fs: DataFs, choice: LoaderChoice) -> None:
    if choice is not LoaderChoice.SIGNED:
        return
    if any(data_fs.system.has_signed_grub(loader.vendor) for loader in host.signed):
        return
    if host.signed or not data_fs.system.signed_grubs:
        raise UsageError(
            tr("signed GRUB images do not read {data_fs}", data_fs=data_fs),
            hint=tr("take --data-fs ext4, or --loader built and switch Secure Boot off"),
        )
    raise UsageError(tr("the host has no signed boot loaders"), hint=tr("bootkit doctor names their packages"))


def _usable(signed: SignedLoader | None, data_fs: DataFs, choice: LoaderChoice) -> SignedLoader | None:
    if signed is None or choice is LoaderChoice.BUILT:
        return None
    return signed if data_fs.system.has_signed_grub(signed.vendor) else None


def _take(signed: SignedLoader, folder: str = EFI_FOLDER) -> list[TakeLoader | BuildLoader]:
    suffix = EFI_PLATFORMS[signed.firmware][1]
    files: list[tuple[str, HostFile | None]] = [
        (f"{folder}/BOOT{suffix.upper()}.EFI", signed.shim),
        (f"{folder}/grub{suffix}.efi", signed.grub),
        (f"{folder}/mm{suffix}.efi", signed.mok_manager),
    ]
    return [
        TakeLoader(path=path, firmware=signed.firmware, source=file.path, package=file.package)
        for path, file in files
        if file is not None
    ]


def _stubs(signed: SignedLoader, stub: bytes) -> tuple[WriteFile, ...]:
    own = f"/EFI/{signed.vendor}"
    folders = (EFI_FOLDER, own) if signed.vendor and own.upper() != EFI_FOLDER else (EFI_FOLDER,)
    stop = WriteFile(path=STOP_FILE, content=b"This is no program.\n")
    return (*(WriteFile(path=f"{folder}/grub.cfg", content=stub) for folder in folders), stop)


def _build(firmware: Firmware, platform: GrubPlatform, stub: bytes) -> BuildLoader:
    path = "" if firmware is Firmware.BIOS else f"{EFI_FOLDER}/BOOT{EFI_PLATFORMS[firmware][1].upper()}.EFI"
    return BuildLoader(
        path=path,
        firmware=firmware,
        platform=platform.name,
        directory=platform.directory,
        modules=modules_for(platform),
        stub=stub,
        package=platform.package,
    )
