import { render } from 'preact'
import { keepLink } from './connection/link.ts'
import { App } from './shell/app.tsx'
import './style.css'

render(<App />, document.getElementById('page')!)
void keepLink()
