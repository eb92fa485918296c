from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
from html_elements import Elements

from cxkit import style
from cxkit.pictures import svg_text


def draw(label: str):
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3], [1, 4, 9])
    axes.set_title(style.plain_text(label))
    return figure


def test_the_same_picture_is_the_same_bytes():
    assert svg_text(draw("Orders")) == svg_text(draw("Orders"))
    plt.close("all")


def test_a_label_from_data_is_that_label():
    label = r"$\frac{1}{2}$ <!-- & </text> 0.1234567"
    svg = svg_text(draw(label))
    words = ["".join(e.itertext()) for e in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert label in words
    assert set(Elements(svg).tags) <= {"svg", "defs", "style", "g", "path", "use", "text", "clippath", "rect"}
    plt.close("all")


def test_signs_that_the_font_lacks_do_not_warn(recwarn):
    svg_text(draw("日本"))
    assert [w for w in recwarn if "Glyph" in str(w.message)] == []
    plt.close("all")


def test_many_points_become_pixels():
    figure, axes = plt.subplots()
    axes.scatter(np.arange(5000), np.arange(5000) % 97)
    svg = svg_text(figure)
    assert svg.count("<use") < 500
    assert "data:image/png;base64" in svg
    plt.close("all")
