"""Players: the sound that comes out is the one that went in, and titles cannot break the page."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile

from course import listening


def heard(player) -> tuple[np.ndarray, int]:
    """The sound in the player's HTML, read back by libsndfile."""
    html = player._repr_mimebundle_()["text/html"]
    data = re.search(r'src="data:audio/wav;base64,([^"]+)"', html)[1]
    return soundfile.read(io.BytesIO(base64.b64decode(data)))


def test_a_player_holds_the_sound(rng):
    signal = rng.uniform(-0.9, 0.9, 1000)
    sound, rate = heard(listening.play(signal, 8000, "Noise"))
    assert rate == 8000 and sound.shape == (1000,)
    assert np.abs(sound - signal).max() < 1e-4  # two steps of 16 bits, full scale at 32,767


def test_a_player_is_a_captioned_figure_that_a_screen_reader_can_name():
    bundle = listening.play([0.0, 0.1], 8000, 'A "low" <hum> & more')._repr_mimebundle_()
    assert bundle["text/plain"] == 'A "low" <hum> & more'
    assert bundle["text/html"].startswith('<figure class="player"><figcaption>A &quot;low&quot; &lt;hum&gt; &amp; more')
    assert 'aria-label="A &quot;low&quot; &lt;hum&gt; &amp; more"' in bundle["text/html"]
    assert '<audio controls preload="none"' in bundle["text/html"]


def test_what_is_beyond_full_scale_is_clipped_and_the_caption_says_so():
    player = listening.play([0.0, 3.0, -3.0], 8000, "Loud")
    sound, _ = heard(player)
    assert sound == pytest.approx([0, 1, -1], abs=1e-3)
    assert player.caption == "Loud (clipped: peak 3.0 times full scale)"


@pytest.mark.parametrize("title", ["", "  "])
def test_a_player_needs_a_title(title):
    with pytest.raises(ValueError, match="title"):
        listening.play([0.0], 8000, title)


@pytest.mark.parametrize("rate", [2000, 400_000])
def test_rates_that_browsers_refuse_are_refused(rate):
    with pytest.raises(ValueError, match="3000 to 192000 Hz"):
        listening.play([0.0], rate, "Too slow")


@pytest.mark.parametrize(("signal", "error"), [([], ValueError), ([np.nan], ValueError), ([1j], TypeError)])
def test_what_is_no_signal_is_refused(signal, error):
    with pytest.raises(error, match="signal was expected"):
        listening.play(signal, 8000, "Nothing")
