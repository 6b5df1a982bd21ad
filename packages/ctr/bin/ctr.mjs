#!/usr/bin/env node
import '../dist/bin/ctr.js'
