# usage: /usr/bin/python3 findButton.py APP ABOUT LABEL [gone]
# Waits for the button with that label in the window that says ABOUT -> "x y", its middle on the screen.
# With "gone" it waits until there is no such button.
import sys
import time

import pyatspi

app_name, about, label = sys.argv[1:4]
wants_gone = sys.argv[4:] == ["gone"]


def says(window):
    return pyatspi.findDescendant(window, lambda node: about in (node.name or "")) is not None


def find():
    for app in pyatspi.Registry.getDesktop(0):
        if not app or app.name != app_name:
            continue
        for window in app:
            if not window or not says(window):
                continue
            is_button = lambda node: node.getRole() == pyatspi.ROLE_PUSH_BUTTON and node.name == label
            for button in pyatspi.findAllDescendants(window, is_button):
                box = button.queryComponent().getExtents(pyatspi.DESKTOP_COORDS)
                if box.width > 0 and box.x >= 0:
                    return box
    return None


deadline = time.time() + 10
while time.time() < deadline:
    try:
        box = find()
        if wants_gone and box is None:
            sys.exit(0)
        if box is not None and not wants_gone:
            print(box.x + box.width // 2, box.y + box.height // 2)
            sys.exit(0)
    except Exception:
        # What goes away while it is looked at raises whatever the bus says.
        pass
    time.sleep(0.1)
sys.exit("it is still there" if wants_gone else "no such button")
