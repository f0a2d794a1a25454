"""The main job: a run file's points, its flow, its steps and what they are worth, in memory or in the folder of a run."""
