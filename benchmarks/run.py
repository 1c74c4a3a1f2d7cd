import sys
from clients import KNOWN
from capture.measure import measure, QUICK
names = sys.argv[1].split(",") if len(sys.argv)>1 else [k.name for k in KNOWN]
f = measure([k for k in KNOWN if k.name in names], QUICK, 1, print)
for mode, r in f.items():
    for n, x in r.items():
        print(mode, n, x)
