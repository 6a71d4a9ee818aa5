"""Classifies the test images in @FRAMEWORK@ and compares the count of right answers with Inkling's.

    python check.py @OPTION@ @METAVAR@

@METAVAR@ is @HELP@. It exits with 1 if a count differs by
more than the images whose two largest scores are equal but for rounding.
"""

import argparse
import gzip
import sys
from pathlib import Path

@IMPORTS@

from model import load

# The test images, the shape of each (height, width, channels), and how many each head classifies rightly in Inkling.
SET = @SET@
IMAGES = @IMAGES@
SHAPE = @SHAPE@
CORRECT = @CORRECT@
# What a head says that does not say the class: the group of each class, by its number.
GROUPS = @GROUPS@


@READING@


@SCORES@


arguments = argparse.ArgumentParser()
arguments.add_argument("@OPTION@", required=True, metavar="@METAVAR@")
given = arguments.parse_args()
images, classes = @READ@
if len(images) < IMAGES or images[0].size != np.prod(SHAPE):
    sys.exit(f"{IMAGES} test images of {SHAPE} are needed, and there are {len(images)} of {images.shape[1:]}")
images, classes = images[:IMAGES].reshape(-1, *SHAPE), classes[:IMAGES].astype(int)

differ = False
for head, scores in @FUNCTION@(load(), images, CORRECT).items():
    labels = np.array(GROUPS[head])[classes] if head in GROUPS else classes
    correct, ties = count(scores, labels)
    same = abs(correct - CORRECT[head]) <= ties
    differ |= not same
    verdict = "the same" if same else "not the same"
    print(f"{head}: {correct} of {IMAGES} right in @FRAMEWORK@, {CORRECT[head]} in Inkling: {verdict} ({ties} ties)")
sys.exit(1 if differ else 0)
