"""Moonshine tiny, a pretrained recogniser, run by a decoding loop of our own (Lecture 6, *Pretrained speech models*).

An encoder turns 16 kHz samples into about 42 vectors a second; a decoder writes the text, one token after the other,
each from the vectors and the tokens before it. Both are files for ONNX Runtime that the wheel ``moonshine-voice``
carries; the loop around them, the cache and the tokens are here.

Source: N. Jeffries et al., Moonshine: Speech Recognition for Live Transcription and Voice Commands, 2024.
"""

from functools import cached_property, lru_cache

import numpy as np
from scipy.special import logsumexp

from course.errors import CourseError
from course.models import MODELS
from course.sampling import as_signal, check_sample_rate

SAMPLE_RATE = 16_000  # Hz
N_LAYERS, N_HEADS, HEAD_WIDTH = 6, 8, 36  # of the decoder: the shapes of its cache
START, END = 1, 2  # tokens before and behind every text
SHORTEST = 0.1  # seconds; what is shorter has no word in it, and the encoder's filters want 895 samples
LONGEST = 30.0  # seconds; training examples were no longer
TOKENS_PER_SECOND = 6.5  # the authors' limit: a longer text repeats itself for ever
SPACE = "\u2581"  # how the vocabulary writes a space

Cache = dict[str, np.ndarray]


class MoonshineRecogniser:
    """Moonshine tiny with greedy decoding, on one CPU thread; loads its files when it is first used.

    Args:
        margin: seconds of silence put before and behind a recording of less than a second. The model was trained on
            longer ones, and alone a word of half a second is taken for a piece of another one.

    Attributes:
        name, n_parameters, train_seconds: for the ladder (`course.ladder`). The authors do not publish how long
            training took. The parameters are counted in the published architecture; the files store them in fewer bits.
    """

    name = "Moonshine tiny"
    n_parameters = 27_092_736
    train_seconds = None

    def __init__(self, margin: float = 0.3):
        if not 0 <= margin <= 10:
            raise ValueError(f"A margin from 0 to 10 s was expected and {margin} came. Try 0.3.")
        self.margin = margin

    def recognise(self, signal, sample_rate: float) -> str:
        """The text of a recording, with the capitals and punctuation that the model writes.

        Args:
            signal: ``(n_samples,)`` real samples. More than 30 s are cut where they are quietest.
            sample_rate: Hz; another rate than 16,000 is converted, and what lies above 8 kHz is lost.

        Returns:
            Words, or an empty text for silence and for less than a tenth of a second.

        Raises:
            TypeError, ValueError: not a signal (see :func:`course.sampling.as_signal`), or no sample rate.
        """
        samples = at_16_khz(signal, sample_rate)
        parts = [self._with_margin(piece) for piece in pieces(samples)]
        texts = (self.text_of(self.decode(self.encode(part), part.size)) for part in parts)
        return " ".join(text for text in texts if text)

    def _with_margin(self, samples: np.ndarray) -> np.ndarray:
        return np.pad(samples, round(self.margin * SAMPLE_RATE)) if samples.size < SAMPLE_RATE else samples

    def encode(self, samples: np.ndarray) -> np.ndarray:
        """The encoder's vectors.

        Args:
            samples: ``(n_samples,)`` float32 at 16 kHz, at least a tenth of a second.

        Returns:
            ``(n_frames, 288)`` float32: one vector for each 384 samples, 24 ms.
        """
        batch = samples[np.newaxis].astype(np.float32)
        mask = np.ones(batch.shape, np.int64)
        return self._encoder.run(None, {"input_values": batch, "attention_mask": mask})[0][0]

    def decode(self, hidden: np.ndarray, n_samples: int) -> list[int]:
        """The tokens that greedy search finds: at each step the likeliest, until the model says that it has ended.

        Args:
            hidden: ``(n_frames, 288)`` from :meth:`encode`.
            n_samples: length of the signal behind ``hidden``.
        """
        tokens, cache = [START], None
        for _ in range(int(n_samples / SAMPLE_RATE * TOKENS_PER_SECOND) + 2):
            logits, cache = self.step(tokens[-1:], hidden, n_samples, cache)
            token = int(logits[-1].argmax())
            if token == END:
                break
            tokens.append(token)
        return tokens[1:]

    def step(
        self, tokens: list[int], hidden: np.ndarray, n_samples: int, cache: Cache | None = None
    ) -> tuple[np.ndarray, Cache]:
        """Run the decoder once, over tokens that the cache does not hold yet.

        Args:
            tokens: all tokens from :data:`START` on if there is no cache; else those that came since.
            hidden: ``(n_frames, 288)`` from :meth:`encode`.
            n_samples: length of the signal: the mask that the decoder wants counts samples, not frames.
            cache: what the step before returned.

        Returns:
            logits: ``(n_tokens, 32768)`` float32, a score for each token that may follow each of ``tokens``.
            cache: keys and values of each layer, ``(1, 8, n, 36)``, for the next step.
        """
        inputs = {
            "input_ids": np.array([tokens], np.int64),
            "encoder_hidden_states": hidden[np.newaxis],
            "encoder_attention_mask": np.ones((1, n_samples), np.int64),
            "use_cache_branch": np.array([cache is not None]),
            **(cache or empty_cache()),
        }
        logits, *present = self._decoder.run(None, inputs)
        names = [output.name.replace("present", "past_key_values") for output in self._decoder.get_outputs()[1:]]
        fresh = dict(zip(names, present, strict=True))
        if cache:  # keys and values of the encoder never change, and cached steps return empty ones
            fresh.update({name: value for name, value in cache.items() if ".encoder." in name})
        return logits[0], fresh

    def log_probabilities(self, signal, sample_rate: float, texts: list[str]) -> np.ndarray:
        """How likely each of some texts is, given the sound: the way to a recogniser that may only answer with these.

        Args:
            signal, sample_rate: as for :meth:`recognise`, from a tenth of a second to 30 s.
            texts: as the model would write them: ``"Five."`` is likelier than ``"five"``.

        Returns:
            ``(n_texts,)`` natural logarithms of probabilities.

        Raises:
            TypeError, ValueError: as :meth:`recognise`; or a signal that is too short or too long, or no texts.
        """
        samples = at_16_khz(signal, sample_rate)
        if not (texts and SHORTEST <= samples.size / SAMPLE_RATE <= LONGEST):
            raise ValueError(
                f"Texts and a signal of {SHORTEST} to {LONGEST:g} s were expected; {len(texts)} texts and "
                f"{samples.size / SAMPLE_RATE:.2f} s came."
            )
        samples = self._with_margin(samples)
        hidden = self.encode(samples)
        return np.array([self._log_probability(hidden, samples.size, self.tokens_of(text)) for text in texts])

    def _log_probability(self, hidden: np.ndarray, n_samples: int, tokens: list[int]) -> float:
        logits, _ = self.step([START, *tokens], hidden, n_samples)
        chosen = logits[np.arange(len(tokens) + 1), [*tokens, END]]
        return float(np.sum(chosen - logsumexp(logits, axis=1)))

    def tokens_of(self, text: str) -> list[int]:
        """Tokens that spell a text, each the longest that fits.

        Raises:
            ValueError: an empty text.
        """
        if not text.strip():
            raise ValueError("A text of at least one word was expected and an empty one came.")
        rest, tokens = (SPACE + SPACE.join(text.split())).encode(), []
        while rest:
            length = next(n for n in range(min(len(rest), self._longest), 0, -1) if rest[:n] in self._number_of)
            tokens.append(self._number_of[rest[:length]])
            rest = rest[length:]
        return tokens

    def text_of(self, tokens: list[int]) -> str:
        """The text that tokens stand for, without the special ones."""
        pieces_of_text = (self.vocabulary[token] for token in tokens)
        spelled = b"".join(piece for piece in pieces_of_text if not is_special(piece))
        return spelled.decode("utf-8", errors="replace").replace(SPACE, " ").strip()

    @cached_property
    def vocabulary(self) -> list[bytes]:
        """What each of the 32,768 tokens spells, in UTF-8; pieces of a letter are possible."""
        return read_vocabulary(MODELS.fetch("moonshine-tiny-en", "tokenizer.bin").read_bytes())

    @cached_property
    def _number_of(self) -> dict[bytes, int]:
        return {piece: number for number, piece in reversed(list(enumerate(self.vocabulary)))}

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.vocabulary))

    @property
    def _encoder(self):
        return session("encoder_model.ort")

    @property
    def _decoder(self):
        return session("decoder_model_merged.ort")


@lru_cache
def session(file: str):
    """An ONNX Runtime session of one of the model's files, on one thread, loaded once in each process."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = MODELS.fetch("moonshine-tiny-en", file)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def empty_cache() -> Cache:
    """A cache of no tokens: keys and values of each decoder layer for the text (decoder) and the sound (encoder)."""
    names = [
        f"past_key_values.{layer}.{side}.{kind}"
        for layer in range(N_LAYERS)
        for side in ("decoder", "encoder")
        for kind in ("key", "value")
    ]
    return {name: np.zeros((1, N_HEADS, 0, HEAD_WIDTH), np.float32) for name in names}


def at_16_khz(signal, sample_rate: float) -> np.ndarray:
    """A signal at the rate that the model was trained on: ``(n_samples,)`` float32, 16 kHz."""
    import soxr

    samples = as_signal(signal).astype(np.float32)
    check_sample_rate(sample_rate)
    return samples if sample_rate == SAMPLE_RATE else soxr.resample(samples, sample_rate, SAMPLE_RATE)


def pieces(samples: np.ndarray, longest: float = LONGEST) -> list[np.ndarray]:
    """Cut a long signal into pieces that the model can take, each border where 0.1 s are quietest.

    The border is looked for in the last third of each ``longest`` seconds. Silence and pieces of less than a tenth of a
    second are left out.

    Args:
        samples: ``(n_samples,)`` at 16 kHz.
        longest: seconds of a piece, above 0.3.
    """
    most, step = int(longest * SAMPLE_RATE), int(0.1 * SAMPLE_RATE)
    found = []
    while samples.size > most:
        power = np.square(samples[most * 2 // 3 : most], dtype=np.float64)
        blocks = power[: power.size // step * step].reshape(-1, step).sum(axis=1)
        border = most * 2 // 3 + int(blocks.argmin()) * step + step // 2
        found.append(samples[:border])
        samples = samples[border:]
    return [piece for piece in [*found, samples] if piece.size >= SHORTEST * SAMPLE_RATE and piece.any()]


def read_vocabulary(data: bytes) -> list[bytes]:
    """The entries of ``tokenizer.bin``: each a length and so many bytes; lengths from 128 on take two bytes.

    Raises:
        CourseError: the data ends within an entry.
    """
    entries, place = [], 0
    while place < len(data):
        length, place = data[place], place + 1
        if length >= 128:
            if place == len(data):
                raise CourseError("tokenizer.bin ends within a length; pull the model again: course models pull.")
            length, place = data[place] * 128 + length - 128, place + 1
        entries.append(data[place : place + length])
        place += length
    if place > len(data):
        raise CourseError("tokenizer.bin ends within an entry; pull the model again: course models pull.")
    return entries


def is_special(piece: bytes) -> bool:
    """Whether a vocabulary entry is a mark like ``<s>`` and no text."""
    return len(piece) > 2 and piece.startswith(b"<") and piece.endswith(b">")
