import assert from "node:assert/strict";
import {
  GreenletKilledError,
  ResourceClosedError,
  ScopeInterruptedError,
} from "../../src/errors.ts";
import { type Scope, scope } from "../../src/greenlet/scope.ts";
import { Timeout } from "../../src/greenlet/timeout.ts";
import { nap, threadTest } from "../support/thread_hub.ts";
import { rejection } from "../support/virtual_hub.ts";

threadTest(
  "scope() returns the body's value when all have ended",
  async ({ hub, pass }) => {
    const order: string[] = [];
    const running = scope((scope) => {
      scope.spawn(() => nap(5).then(() => order.push("child")));
      order.push("body");
      return 7;
    }).finally(() => order.push("scope"));
    await pass(5);
    assert.equal(await running, 7);
    assert.deepEqual(order, ["body", "child", "scope"]);
    assert.equal(hub.live, 0);
  },
);

threadTest(
  "scope() without children, in a greenlet and outside",
  async ({ hub }) => {
    assert.equal(await scope(() => 1), 1);
    assert.equal(await hub.spawn(() => scope(() => 2)), 2);
  },
);

threadTest("scope() in a greenlet is part of it", async ({ hub }) => {
  await hub.spawn((self) => scope(() => assert.equal(hub.current, self)));
});

threadTest(
  "scope() whose child fails kills the others and rejects with that very error",
  async ({ hub, pass }) => {
    const reason = new Error("x");
    let other: unknown;
    const running = rejection(scope(async (scope) => {
      scope.spawn(() => nap(100).catch((error) => other = error));
      scope.spawn(() => nap(5).then(() => Promise.reject(reason)));
      await nap(1);
    }));
    await pass(5);
    assert.equal(await running, reason);
    assert.ok(other instanceof GreenletKilledError);
    assert.equal(other.cause, reason);
    assert.equal(hub.live, 0);
  },
);

threadTest(
  "scope() whose child fails interrupts the body in its wait",
  async ({ pass }) => {
    const reason = new Error("x");
    let seen: unknown;
    const running = rejection(scope(async (scope) => {
      scope.spawn(() => Promise.reject(reason));
      try {
        await nap(100);
      } catch (error) {
        seen = error;
        throw new Error("the body's own");
      }
    }));
    await pass();
    assert.equal(await running, reason);
    assert.ok(seen instanceof ScopeInterruptedError);
    assert.equal(seen.cause, reason);
  },
);

threadTest(
  "scope() whose child fails leaves no interrupt behind",
  async ({ hub, pass }) => {
    const outer = hub.spawn(async () => {
      await rejection(scope((scope) => {
        scope.spawn(() => Promise.reject(new Error("x")));
      }));
      await nap(5);
      return "goes on";
    });
    await pass(5);
    assert.equal(await outer, "goes on");
  },
);

threadTest(
  "scope() of two failing children rejects with the first error",
  async ({ pass }) => {
    const running = rejection(scope((scope) => {
      scope.spawn(() => nap(2).then(() => Promise.reject("second")));
      scope.spawn(() => nap(1).then(() => Promise.reject("first")));
    }));
    await pass(2);
    assert.equal(await running, "first");
  },
);

threadTest(
  "scope() whose body throws kills the children, waits for them and rejects with it",
  async ({ hub, pass }) => {
    const reason = new Error("x");
    let cleaned = false;
    let over = false;
    const running = rejection(scope(async (scope) => {
      scope.spawn(async () => {
        try {
          await nap(100);
        } finally {
          await nap(5);
          cleaned = true;
        }
      });
      await nap(1);
      throw reason;
    })).finally(() => over = true);
    await pass(1);
    assert.equal(over, false);
    await pass(5);
    assert.equal(await running, reason);
    assert.equal(cleaned, true);
    assert.equal(hub.live, 0);
  },
);

threadTest(
  "scope() of a killed greenlet kills the children",
  async ({ hub, pass }) => {
    const states: string[] = [];
    const outer = hub.spawn(() =>
      scope(async (scope) => {
        scope.spawn(() => nap(100)).onEnd(() => states.push("child"));
        await nap(100);
      })
    );
    outer.onEnd(() => states.push("outer"));
    await pass();
    void outer.kill();
    await pass();
    assert.equal(outer.state, "killed");
    assert.deepEqual(states, ["child", "outer"]);
  },
);

threadTest(
  "scope() that is killed while it waits for its children kills them",
  async ({ hub, pass }) => {
    const outer = hub.spawn(() =>
      scope((scope) => void scope.spawn(() => nap(100)))
    );
    await pass();
    await outer.kill();
    assert.equal(hub.live, 0);
  },
);

threadTest(
  "scope() of a greenlet that is timed out ends its children",
  async ({ hub, pass }) => {
    const outer = hub.spawn(async (self) => {
      using timeout = new Timeout(10).start(self);
      const error = await rejection(
        scope((scope) => void scope.spawn(() => nap(100))),
      );
      assert.equal(error, timeout);
      await nap(1);
      return "goes on";
    });
    await pass(10);
    await pass(1);
    assert.equal(await outer, "goes on");
    assert.equal(hub.live, 0);
  },
);

threadTest(
  "scope() does not take a killed child for a failure",
  async ({ pass }) => {
    const running = scope(async (scope) => {
      const child = scope.spawn(() => nap(100));
      await nap(1);
      await child.kill();
      return scope.size;
    });
    await pass(1);
    assert.equal(await running, 0);
  },
);

threadTest(
  "Scope.kill() ends the children, and the scope goes on",
  async ({ pass }) => {
    const running = scope(async (scope) => {
      scope.spawn(() => nap(100));
      await nap(1);
      await scope.kill();
      return await scope.spawn(() => 7).get();
    });
    await pass(1);
    assert.equal(await running, 7);
  },
);

threadTest("Scope.spawn() in a scope that is over is refused", async () => {
  let kept: Scope | undefined;
  await scope((scope) => void (kept = scope));
  assert.throws(() => kept?.spawn(() => 1), ResourceClosedError);
});

threadTest(
  "Scope.spawn() by a child while the scope waits is part of the scope",
  async ({ hub, pass }) => {
    let grandchild = false;
    const running = scope((scope) => {
      scope.spawn(async () => {
        await nap(1);
        scope.spawn(() => nap(5).then(() => grandchild = true));
      });
    });
    await pass(1);
    await pass(5);
    await running;
    assert.equal(grandchild, true);
    assert.equal(hub.live, 0);
  },
);

threadTest(
  "scope() in a scope: an error that is caught inside leaves the outer one alone",
  async ({ pass }) => {
    const running = scope(async (outer) => {
      const sibling = outer.spawn(() => nap(5).then(() => "sibling"));
      await rejection(
        scope((inner) => void inner.spawn(() => Promise.reject("inner"))),
      );
      return await sibling.get();
    });
    await pass(5);
    assert.equal(await running, "sibling");
  },
);
