"""GET /-/metrics: the text format by a strict reader, and figures that say what happened."""

import re
import unittest

from amphora_store import Store

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL},?)*)\}})? (\S+)")
MOST_SERIES = 2000


class Page:
    """One scrape, read by the rules of Prometheus' text exposition format."""

    def __init__(self, text):
        self.types, self.samples = {}, {}
        assert text.endswith("\n")
        helped, family = set(), None
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family = line.split(" ")[2]
                assert family not in helped, f"two families {family}"
                helped.add(family)
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name == family and kind in ("counter", "gauge", "histogram"), line
                self.types[name] = kind
            else:
                match = SAMPLE.fullmatch(line)
                assert match, f"no sample: {line!r}"
                name, labels, value = match[1], tuple(sorted(re.findall(LABEL, match[2] or ""))), match[3]
                base = re.sub(r"_(bucket|sum|count)$", "", name) if self.types[family] == "histogram" else name
                assert base == family, f"{name} stands in the family {family}"
                assert (name, labels) not in self.samples, f"two samples {line!r}"
                self.samples[name, labels] = float(value)
        for family in self.types:
            if self.types[family] == "histogram":
                self.check_histogram(family)

    def check_histogram(self, family):
        for (name, labels), count in list(self.samples.items()):
            if name != f"{family}_count":
                continue
            buckets = []
            for (other, its), value in self.samples.items():
                bound = [label for label in its if label.startswith('le="')]
                if other == f"{family}_bucket" and tuple(l for l in its if l not in bound) == labels:
                    buckets.append((float(bound[0][4:-1]), value))
            buckets.sort()
            values = [value for _, value in buckets]
            assert buckets[-1] == (float("inf"), count), f"{family}{labels}: {buckets}"
            assert values == sorted(values), f"{family}{labels} is not cumulative"
            assert (f"{family}_sum", labels) in self.samples

    def value(self, name, **labels):
        return self.samples.get((name, tuple(sorted(f'{k}="{v}"' for k, v in labels.items()))), 0)


def scrape(store):
    answer = store.s3.request("GET", "/-/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Page(answer.body.decode())


class MetricsTest(unittest.TestCase):
    def test_requests_are_counted_by_operation_and_status(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            before = scrape(store)
            for i in range(3):
                self.assertTrue(store.s3.put(f"/abc/key-{i}", b"x" * 1000).ok)
            self.assertEqual(store.s3.get("/abc/none").status, 404)
            self.assertEqual(store.s3.get("/abc/key-1").status, 200)
            self.assertEqual(store.s3.request("GET", "/abc?policy").status, 501)
            after = scrape(store)

            def grown(name, **labels):
                return after.value(name, **labels) - before.value(name, **labels)

            responses = "amphora_s3_responses_total"
            self.assertEqual(grown(responses, operation="PutObject", status="200"), 3)
            self.assertEqual(grown(responses, operation="GetObject", status="404"), 1)
            self.assertEqual(grown(responses, operation="GetObject", status="200"), 1)
            self.assertEqual(grown(responses, operation="None", status="501"), 1)
            self.assertEqual(grown("amphora_s3_response_seconds_count", operation="PutObject"), 3)
            self.assertEqual(grown("amphora_s3_response_seconds_count", operation="GetObject"), 2)
            self.assertGreater(grown("amphora_s3_response_seconds_sum", operation="PutObject"), 0)
            self.assertEqual(grown("amphora_s3_bytes_in_total"), 3000)
            self.assertGreaterEqual(grown("amphora_s3_bytes_out_total"), 1000)
            self.assertGreaterEqual(grown("amphora_store_commits_total"), 3)
            self.assertGreater(grown("amphora_record_cache_hits_total"), 0)
            self.assertGreater(grown("amphora_store_syncs_total"), 0)

    def test_the_mount_is_counted_by_operation(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            before = scrape(store)
            for i in range(4):
                (point / f"dir-{i}").mkdir()
            self.assertTrue(store.s3.put("/abc/dir-1/key", b"x").ok)
            after = scrape(store)
            name = "amphora_mount_operations_total"
            self.assertEqual(after.value(name, operation="mkdir") - before.value(name, operation="mkdir"), 4)
            self.assertGreater(after.value("amphora_mount_invalidations_total"),
                               before.value("amphora_mount_invalidations_total"))
            with open(point / "file", "wb"):
                self.assertGreaterEqual(scrape(store).value("amphora_store_open_handles"), 1)

    def test_gauges_say_what_status_says(self):
        with Store() as store:
            page, status = scrape(store), store.json("status")
            self.assertEqual(page.value("amphora_build_info", version=status["version"]), 1)
            self.assertEqual(page.value("amphora_disk_bytes"), status["store"]["disk_bytes"])
            self.assertGreater(page.value("amphora_disk_free_bytes"), 0)
            self.assertEqual(page.value("amphora_disk_full"), 0)
            self.assertEqual(page.value("amphora_store_poisoned"), 0)
            self.assertEqual(page.value("amphora_s3_connections"), 1)
            self.assertEqual(page.value("amphora_s3_requests_in_flight"), 1)
            self.assertGreater(page.value("amphora_uptime_seconds"), 0)
            self.assertEqual({name for name, _ in page.samples if name == "amphora_mount_fence_timeouts_total"},
                             {"amphora_mount_fence_timeouts_total"})

    def test_no_client_can_make_the_page_grow(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            for i in range(50):
                store.s3.request("GET", f"/abc/key-{i}?x-{i}=1", headers={f"x-amz-meta-{i}": "x"})
                store.s3.request("PUT", f"/bucket-{i}.none/key")
                store.s3.request(f"METHOD{i}", f"/abc/{i}")
            page = scrape(store)
            labels = {label.split("=")[0] for _, labels in page.samples for label in labels}
            self.assertEqual(labels, {"operation", "status", "le", "version"})
            self.assertLess(len(page.samples), MOST_SERIES)

    def test_the_reader_is_strict(self):
        for text in ("x 1\n", "# HELP a b\n# TYPE a counter\na{b=c} 1\n", "# HELP a b\n# TYPE a counter\na 1\na 2\n",
                     "# HELP a b\n# TYPE a counter\nb 1\n",
                     '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n'):
            with self.subTest(text), self.assertRaises((AssertionError, KeyError)):
                Page(text)


if __name__ == "__main__":
    unittest.main()
