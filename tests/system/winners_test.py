"""Of many that want to make one key at once, from S3 (`If-None-Match: *`) and from the mount
(`open(O_CREAT | O_EXCL)`), exactly one does; of many that replace one ETag, exactly one does.
"""

import os
import random
import threading
import time
import unittest

from amphora_store import Store
from scale import scaled

BUCKET = "winners"
ROUNDS = scaled(1000, 50)
CLIENTS = 32
SEED = 20261123
HEAD_STARTS_S = (0.0, 0.0, 0.0005, 0.002, 0.004)
PATIENCE_S = 60


class Winners(unittest.TestCase):
    def setUp(self):
        self.store = self.enterContext(Store(["--auth", "open"]))
        self.store.run("bucket", "create", f"/s3v/{BUCKET}")
        self.point = self.store.mount(f"/s3v/{BUCKET}")

    def tearDown(self):
        self.assertEqual(self.store.json("check")["findings_total"], 0)

    def race(self, rounds, contender):
        """Lets CLIENTS threads call contender(round, number) in every round at once; answers each round's
        answers. A contender answers True when it won and False when it lost properly."""
        answers = [[None] * CLIENTS for _ in range(rounds)]
        barrier = threading.Barrier(CLIENTS)

        def run(number):
            try:
                for turn in range(rounds):
                    barrier.wait(PATIENCE_S)
                    answers[turn][number] = contender(turn, number)
            except BaseException:
                barrier.abort()
                raise
            finally:
                self.store.s3.close()

        failures = []
        threading.excepthook = lambda problem: failures.append(problem.exc_value)
        self.addCleanup(setattr, threading, "excepthook", threading.__excepthook__)
        threads = [threading.Thread(target=run, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        real = [f for f in failures if not isinstance(f, threading.BrokenBarrierError)]
        self.assertEqual(real or failures, [])
        return answers

    def test_one_maker_each_round_from_both_faces(self):
        # Which face gets how much of a head start is drawn, so that both win some rounds.
        dice = random.Random(SEED)
        starts = [(dice.choice(HEAD_STARTS_S), dice.choice(HEAD_STARTS_S)) for _ in range(ROUNDS)]

        def contender(turn, number):
            by_s3 = number % 2 == 0
            time.sleep(starts[turn][0 if by_s3 else 1])
            body = f"{turn} {number}".encode()
            if by_s3:
                answer = self.store.s3.put(f"/{BUCKET}/key-{turn}", body, {"If-None-Match": "*"})
                if answer.status == 412:
                    self.assertIn(b"<Condition>If-None-Match</Condition>", answer.body)
                    return False
                self.assertEqual(answer.status, 200, answer.body)
                return True
            try:
                file = os.open(self.point / f"key-{turn}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                return False
            try:
                self.assertEqual(os.write(file, body), len(body))
            finally:
                os.close(file)
            return True

        answers = self.race(ROUNDS, contender)
        won = [0, 0]
        for turn, row in enumerate(answers):
            winners = [number for number, answer in enumerate(row) if answer]
            self.assertEqual(len(winners), 1, f"round {turn}: won by {winners}")
            won[winners[0] % 2] += 1
            body = f"{turn} {winners[0]}".encode()
            self.assertEqual((self.point / f"key-{turn}").read_bytes(), body)
            self.assertEqual(self.store.s3.get(f"/{BUCKET}/key-{turn}").body, body)
        print(f"{ROUNDS} rounds of {CLIENTS}: S3 made {won[0]}, the mount {won[1]}")
        self.assertGreater(min(won), 0, "one face never won: the race shows nothing")

    def test_one_successor_of_each_etag(self):
        rounds = max(ROUNDS // 10, 1)
        path = f"/{BUCKET}/counter"
        self.assertEqual(self.store.s3.put(path, b"start").status, 200)
        barrier = threading.Barrier(CLIENTS)
        etags = [None] * CLIENTS

        def contender(turn, number):
            etags[number] = self.store.s3.head(path).headers["ETag"]
            barrier.wait(PATIENCE_S)  # all know the same one before the first replaces it
            answer = self.store.s3.put(path, f"{turn} {number}".encode(), {"If-Match": etags[number]})
            self.assertIn(answer.status, (200, 412), answer.body)
            return answer.status == 200

        for turn, row in enumerate(self.race(rounds, contender)):
            self.assertEqual(row.count(True), 1, f"round {turn}: {row.count(True)} won")


if __name__ == "__main__":
    unittest.main()
