"""One module a boot stack. Installed as ``bootkit.detectors``; a checkout sees this folder through a link."""

# An editable install puts the repository's root on the path: `import detectors` would give second copies of everything.
if __name__ != "bootkit.detectors":
    raise ImportError("import this package as bootkit.detectors")
