"""How much a test that counts or loads does: AMPHORA_TEST_SCALE times its full number (0.001 to 100; 1 when it
is not set). scripts/nightly sets it for builds with a sanitizer, which are many times slower. Only numbers of
rounds, keys and bytes may depend on it, never what a round checks. scale.h is its twin.
"""

import os


def test_scale():
    text = os.environ.get("AMPHORA_TEST_SCALE") or "1"
    try:
        scale = float(text)
    except ValueError:
        scale = 0
    if not 0.001 <= scale <= 100:
        raise SystemExit(f"AMPHORA_TEST_SCALE is '{text}': a number from 0.001 to 100 is wanted")
    return scale


def scaled(full, least):
    """`full` of something, scaled, but at least `least`: with fewer the test would prove nothing."""
    return max(round(full * test_scale()), min(full, least))
