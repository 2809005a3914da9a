"""The runner with threads: an element that takes long to write arrives whole."""

import time

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that, equal_to

from course.pipelines.runners import direct


class Slow:
    """Takes longer to pickle than Beam waits before it sends what is written so far."""

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        time.sleep(1.3)
        return Slow, (self.number,)


def test_an_element_that_takes_long_to_write_arrives_whole():
    with beam.Pipeline(options=PipelineOptions(direct(1))) as pipeline:
        found = (
            pipeline
            | beam.Create(range(2))
            | beam.Map(lambda number: (number, Slow(number))).with_output_types(tuple[int, object])
            | beam.GroupByKey()
            | beam.MapTuple(lambda number, group: (number, [one.number for one in group]))
        )
        assert_that(found, equal_to([(0, [0]), (1, [1])]))
