import hashlib, json, pathlib, sys

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
PARTS = ("version", "before", "chain", "seq", "at_us", "actor",
         "run", "fact", "flow", "record", "body")


def part(value):
    if value is None:
        return b"-"
    text = str(value).encode("utf-8")
    return str(len(text)).encode("ascii") + b":" + text


def fault_of(head):
    before, seq = "", 0
    for line in open(folder / head["file"], "rb"):
        seq += 1
        try:
            entry = json.loads(line)
            made = hashlib.sha256(b"".join(part(entry[name]) for name in PARTS)).hexdigest()
        except (ValueError, KeyError, TypeError) as error:
            return "entry %d can't be read: %s" % (seq, error)
        if (entry["chain"], entry["seq"]) != (head["chain"], seq):
            return "entry %d is not in its place" % seq
        if entry["before"] != before:
            return "entry %d does not follow the one before it" % seq
        if entry["hash"] != made:
            return "entry %d is not what its hash was made of" % seq
        before = made
    if (seq, before) != (head["seq"], head["hash"]):
        return "it ends with entry %d, %s, and not as manifest.json says" % (seq, before)


broken = 0
for head in json.loads((folder / "manifest.json").read_text("utf-8"))["chains"]:
    fault = fault_of(head)
    broken += fault is not None
    print("%s: %s" % (head["chain"], fault or "%d entries, %s" % (head["seq"], head["hash"])))
print("the chains are broken" if broken else "the chains hold")
sys.exit(1 if broken else 0)
