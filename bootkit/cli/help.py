"""What ``bootkit --help`` prints: typer's own text, kept. Written by pytest tests/meta --update-golden."""

HELP = """\

 Usage: bootkit [OPTIONS] COMMAND [ARGS]...

 Many unchanged ISO files on one USB stick: prepare it once, add images,
 generate, boot.

╭─ Options ────────────────────────────────────────────────────────────────────╮
│ --debug                       <bool>  Show each program that is started, and │
│                                       why things are left out.               │
│ --version                     <bool>  Print the version and end.             │
│ --install-completion          <bool>  Install completion for the current     │
│                                       shell.                                 │
│ --show-completion             <bool>  Show completion for the current shell, │
│                                       to copy it or customize the            │
│                                       installation.                          │
│ --help                -h      <bool>  Show this message and exit.            │
╰──────────────────────────────────────────────────────────────────────────────╯
╭─ The main job ───────────────────────────────────────────────────────────────╮
│ prepare   Make a stick: partitions, file systems, boot loaders. Everything   │
│           that was on TARGET is lost.                                        │
│ add       Copy ISO files to the stick, checked byte by byte, and write the   │
│           menu.                                                              │
│ remove    Remove images from the stick and write the menu.                   │
│ generate  Write the boot menu: run it after images came, went or changed, or │
│           after editing stick.toml.                                          │
│ check     Predict which images boot from this stick, by which firmware, with │
│           how much memory, and what to do about the rest.                    │
│ test      Boot the stick in QEMU, on a throw-away copy, and say how far each │
│           entry comes.                                                       │
╰──────────────────────────────────────────────────────────────────────────────╯
╭─ Looking ────────────────────────────────────────────────────────────────────╮
│ devices   List the disks that are plugged in, and say which of them could    │
│           become a stick.                                                    │
│ list      List the images on the stick, what each of them is, and whether it │
│           boots.                                                             │
│ inspect   Look into an ISO file: what it is, and everything that was read to │
│           find out.                                                          │
│ explain   Tell why an ISO is taken for what it is, how it boots, and with    │
│           which words.                                                       │
│ verify    Read images back from the stick and compare them with the          │
│           checksums that add kept.                                           │
│ log       Print what the last boots from the stick have written to it, the   │
│           newest first.                                                      │
╰──────────────────────────────────────────────────────────────────────────────╯
╭─ Maintenance ────────────────────────────────────────────────────────────────╮
│ doctor    List the programs and boot loaders that bootkit uses, their        │
│           packages, and what fails without them.                             │
│ upgrade   Renew the boot loaders of a stick. Images, settings and everything │
│           else of yours stay as they are.                                    │
│ restore   Give a stick back as one plain, empty partition. Everything that   │
│           was on it is lost.                                                 │
╰──────────────────────────────────────────────────────────────────────────────╯
╭─ Choices ────────────────────────────────────────────────────────────────────╮
│ tui       Look after the stick on one screen: images, boot options with a    │
│           preview, adding, preparing, testing.                               │
│ options   Choose language, keyboard, kernel words, names and order, for the  │
│           stick, a boot stack or an image.                                   │
╰──────────────────────────────────────────────────────────────────────────────╯
╭─ Your own things on every system ────────────────────────────────────────────╮
│ ext       Extensions: programs, drivers and files of yours, laid over every  │
│           live system.                                                       │
│ home      Homes: the user's folder, one file, the same on every live system. │
│ persist   Persistence: live systems that keep their own changes.             │
│ seed      Answer files: installers that ask nothing.                         │
│ app       AppImages: programs in the menu of every desktop.                  │
╰──────────────────────────────────────────────────────────────────────────────╯

 First steps: bootkit devices; bootkit prepare /dev/sdX; bootkit add FILE.iso;
 then boot from the stick.


"""
