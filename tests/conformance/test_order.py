"""No update races with a read of what it updates, in the graph that TensorFlow's optimizers leave of a step.

On a quiet machine such a race is won nearly always, so that no comparison of runs is a test of it.
"""

import collections

import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.conformance import table


def unordered(graph):
    """Pairs of a read and an update, or two updates, of one variable of which neither has to wait for the other."""
    nodes = {node.name: node for node in graph.node}
    after = collections.defaultdict(list)
    for node in graph.node:
        for source in (name.lstrip("^").split(":")[0] for name in node.input):
            if nodes[source].op != "NextIteration":
                after[source].append(node.name)
    uses = collections.defaultdict(list)
    for node in graph.node:
        if node.op == "ReadVariableOp" or node.op.startswith(("Assign", "ResourceApply")):
            uses[_origin(node.input[0], nodes)].append(node)
    out = []
    for handle, found in uses.items():
        later = {node.name: _reachable(node.name, after) for node in found}
        for i, left in enumerate(found):
            for right in found[:i]:
                ordered = right.name in later[left.name] or left.name in later[right.name]
                if not ordered and {left.op, right.op} != {"ReadVariableOp"}:
                    out.append((handle, left.name, right.name))
    return out


def updates(graph):
    """Number of updates of variables."""
    return sum(node.op.startswith(("Assign", "ResourceApply")) for node in graph.node)


def _origin(name, nodes):
    name = name.split(":")[0]
    while nodes[name].op in ("Identity", "Enter", "Switch", "Merge"):
        name = nodes[name].input[0].split(":")[0]
    return name


def _reachable(name, after):
    seen, todo = {name}, [name]
    while todo:
        for following in after[todo.pop()]:
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return seen


class OrderTest(parameterized.TestCase):
    @parameterized.named_parameters(*table.ROWS)
    def test_every_read_comes_before_or_after_every_update(self, *row):
        with table.trained(*row) as shared:
            graph = max(shared.graphs, key=updates)
            self.assertGreaterEqual(updates(graph), 2 * len(shared.model.trainable_variables))
            self.assertEqual(unordered(graph), [])

    def test_a_race_is_found(self):
        def graph(control):
            with tf.Graph().as_default() as graph:
                handle = tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=(), name="handle")
                read = tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32, name="read")
                with tf.control_dependencies([read] if control else []):
                    tf.raw_ops.AssignSubVariableOp(resource=handle, value=tf.constant(1.0), name="update")
            return graph.as_graph_def()

        self.assertEqual(unordered(graph(control=False)), [("handle", "update", "read")])
        self.assertEqual(unordered(graph(control=True)), [])


if __name__ == "__main__":
    absltest.main()
