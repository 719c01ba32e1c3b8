"""Names that go wrong in lesser stores, and where the mount shows a key (fs/escape.h)."""

ODD_COMPONENTS = [
    "plain", "two words", " lead and tail ", "a+b", "100%", "%41", "single'quote",
    'double"quote', "back\\slash",
    "caf\u00e9", "cafe\u0301", "\u65e5\u672c\u8a9e", "\U0001f3fa", "tab\there", "new\nline",
    "semi;colon", "q?uestion",
    "ha#sh", "amp&ersand", "equal=s", "at@sign", "star*", "<angle>", "{brace}", "[bracket]",
    "~tilde", "$dollar",
    "!bang", "pipe|", "com,ma", "co:lon", "-dash", ".hidden", "trailing.", "..three", "...",
    "n" * 200,
    "\u00e9" * 100, "@amphora", "con", "A", "a",
]

# Keys that no POSIX path spells as it is.
UNPOSIX_KEYS = [
    "x//y", "//", "///z", "/lead", "tail//", "d/./f", "d/../f", "./f", "../f", "up/..",
    "here/.", "beside", "beside/below",
    "@amphora@f:odd", "@amphora@nothing", "@amphora@d:dir/file", "dir with content/",
]

# 900 bytes, as components and in one piece.
LONG_KEYS = ["/".join(["c" * 99] * 9), "deep/" + "k" * 895, "\u00e9" * 450]


def escaped(name, kind):
    text = name.replace("%", "%25").replace("\0", "%00")
    return f"@amphora@{kind}:{text}"


def visible_path(key, keys):
    """Where the mount shows object `key` while exactly `keys` are in the bucket."""
    *folders, name = key.split("/")
    shown = [escaped(f, "d") if f in ("", ".",
    "..") or f.startswith("@amphora@") else f for f in folders]
    hidden = any(other.startswith(key + "/") for other in keys)
    needs = name in ("", ".", "..") or name.startswith("@amphora@") or hidden
    return "/".join(shown + [escaped(name, "f") if needs else name])
