#!/bin/bash
# Says nothing about itself and nothing else.
