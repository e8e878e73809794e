# usage: /usr/bin/python3 findButton.py APP LABEL -> "x y", the middle of that button on the screen
import sys
import time

import pyatspi

app_name, label = sys.argv[1], sys.argv[2]
deadline = time.time() + 10
while time.time() < deadline:
    for app in pyatspi.Registry.getDesktop(0):
        if not app or app.name != app_name:
            continue
        is_button = lambda node: node.getRole() == pyatspi.ROLE_PUSH_BUTTON and node.name == label
        for button in pyatspi.findAllDescendants(app, is_button):
            box = button.queryComponent().getExtents(pyatspi.DESKTOP_COORDS)
            if box.width > 0 and box.x >= 0:
                print(box.x + box.width // 2, box.y + box.height // 2)
                sys.exit(0)
    time.sleep(0.1)
sys.exit("no such button")
