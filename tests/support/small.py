"""A journey of a few lines that has every kind of rule, and where its histories begin."""

from shared.events import DAY

START = 20_454 * DAY
HOUR = DAY // 24

#: Small, but with every kind of rule: skips, falls, sides, returns, windows, timers, stays, traits, an exit.
JOURNEY = """
journey: small
roles: {buy: [Bought]}
stages:
  - {stage: seen, enter: {touchpoint: {type: page}}}
  - {stage: lead, enter: {trait: {plan: {exists: true}}}, from: [none, seen, buyer]}
  - {stage: buyer, enter: {count: {of: {role: buy}, within: 2d, at_least: 2}}}
  - {stage: fan, enter: {any: [{sum: {of: {role: buy}, property: price, at_least: 50}}, {stay: {for: 3d, in: buyer}}]}}
side:
  - {stage: quiet, from: [seen, lead, buyer], enter: {quiet: 1d}, return: {on: activity, to: previous}}
  - {stage: gone, from: [quiet, fan], enter: {quiet: 4d}, return: {on: activity, to: highest}}
exit: {from: [lead], enter: {touchpoint: {name: Closed}}}
"""
