"""Text formats of boot media: ``str`` in, values out. Nothing here opens a file; an image's files come from a ``Files``.

==================  ====================================================================================================
``menu``            ``MenuEntry``, ``Menu``: a boot menu, whatever the boot loader. ``Files``: what a reader asks of the
                    image; every ``IsoView`` can answer it
``find``            ``read_menus(iso)``: the image's own menu, found and read. ``read_loopback(iso)``: its loopback.cfg,
                    and whether that passes ``$iso_path`` on. ``read_menu(iso, path)``: one file
``grub``            ``parse_grub(text, files, path=..., variables=...)``: runs a grub.cfg and collects its entries
                    (``grub_lexer`` → ``grub_syntax`` → ``grub_runner`` on a ``grub_machine``, whose commands are
                    ``grub_commands`` and ``grub_test``)
``syslinux``        ``parse_syslinux(text, files, path=...)``: isolinux and syslinux with all includes
``bls``             ``parse_bls(text, path=...)``, ``read_loader_entries(files, folder)``: systemd-boot's entries
``cmdline``         kernel words as tuples: ``word_value``, ``has_word``, ``without``, ``with_words``,
                    ``before_separator``, ``replaced``, ``unique``, ``split_words``, ``join_words``
``osrelease``       ``parse_os_release(text)``
``diskinfo``        ``parse_disk_info(text)``: Debian's and Ubuntu's ``/.disk/info``
``treeinfo``        ``parse_treeinfo(text)``: Red Hat's ``/.treeinfo``; ``parse_ini``
``grubenv``         ``parse_grubenv(text)``: GRUB's environment block
==================  ====================================================================================================

A strange text is a warning in the result, never an exception; time and memory are bounded whatever the text.

    menu = read_menus(iso)
    entry = menu.default_linux
    words = before_separator(without(entry.cmdline, "iso-scan/filename", "cdrom-detect/*"), f"iso-scan/filename={ISO_PATH}")
"""
